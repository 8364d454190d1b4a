// Arguments of an app's calls, and their checks: made before anybody asks the database.
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { isStorableText } from './json-codec-format.js';

export interface StartOptions {
  /** Default: a UUID that begins with the time of this process (version 7). With an id of your own a start can be repeated without a second run. */
  readonly instanceId?: string;
  /**
   * When the id is in use: `error` (InstanceConflictError, the default), or `existing`: the handle of the one that is there, whatever its
   * input was. An instance of another workflow is a conflict in either case.
   */
  readonly onConflict?: 'error' | 'existing';
}

/** One of many starts. */
export type WorkflowStart<TGiven> = {
  /** As of `startWorkflow`. */
  readonly instanceId?: string;
} & (undefined extends TGiven ? { readonly input?: TGiven } : { readonly input: TGiven });

/** For all of them. */
export type StartManyOptions = Pick<StartOptions, 'onConflict'>;

/** The longest reason of a cancellation, in UTF-16 units: it is told with every look at the instance. */
const longestReason = 10_000;

/** @throws InvalidArgumentError naming the option. */
export function checkStartOptions(options: StartOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError(
      `startWorkflow takes its options as an object such as { instanceId: 'order-42' }, not ${options === null ? 'null' : typeof options}`,
      { argument: 'options' },
    );
  }
  if (options.instanceId !== undefined) checkName(options.instanceId, 'instanceId');
  checkOnConflict(options.onConflict);
}

/** @throws InvalidArgumentError naming the place in the list, or the option. */
export function checkStartMany(starts: readonly WorkflowStart<unknown>[], options: StartManyOptions): void {
  if (!Array.isArray(starts)) {
    throw new InvalidArgumentError(`startMany takes an array such as [{ input: … }], not ${kindOf(starts)}`, {
      argument: 'starts',
    });
  }
  for (const [index, start] of (starts as readonly WorkflowStart<unknown>[]).entries()) {
    const place = `starts[${index}]`;
    if (typeof start !== 'object' || start === null) {
      throw new InvalidArgumentError(`${place} is ${kindOf(start)}; it takes an object such as { input: … }`, {
        argument: place,
      });
    }
    // A bare input, which might have any members, is the likeliest mistake.
    checkKnownMembers(start, place);
    if (start.instanceId !== undefined) checkName(start.instanceId, `${place}.instanceId`);
  }
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError(
      `startMany takes its options as an object such as { onConflict: 'existing' }, not ${kindOf(options)}`,
      {
        argument: 'options',
      },
    );
  }
  checkOnConflict(options.onConflict);
}

function checkKnownMembers(start: object, place: string): void {
  const stranger = Object.keys(start).find((name) => name !== 'input' && name !== 'instanceId');
  if (stranger === undefined) return;
  throw new InvalidArgumentError(`${place} has ${JSON.stringify(stranger)}; it takes { input, instanceId }`, { argument: place });
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function checkOnConflict(onConflict: unknown): void {
  if (onConflict !== undefined && onConflict !== 'error' && onConflict !== 'existing') {
    throw new InvalidArgumentError(
      `onConflict is ${typeof onConflict === 'string' ? JSON.stringify(onConflict) : typeof onConflict}; it takes 'error' or 'existing'`,
      { argument: 'onConflict' },
    );
  }
}

/** @throws InvalidArgumentError when it is no text, or one that no database can hold. */
export function checkReason(reason: unknown): void {
  if (reason === undefined) return;
  if (typeof reason === 'string' && reason.length <= longestReason && isStorableText(reason)) return;
  const shown = typeof reason === 'string' ? `a text of ${reason.length} characters` : reason === null ? 'null' : typeof reason;
  throw new InvalidArgumentError(
    `cancel: reason is ${shown}; it takes up to ${longestReason} characters, without U+0000 and halves of surrogate pairs`,
    { argument: 'reason' },
  );
}
