// What `list` takes, checked and turned into what the storage takes.
import { InvalidArgumentError } from '../domain/errors.js';
import { isName } from '../domain/ids.js';
import { isJsonScalar, parseJsonPath } from '../domain/json-path.js';
import { instanceStatuses, type InstanceStatus } from '../domain/instance.js';
import type { InputFilter, ListRequest } from '../ports/instance-store.js';
import { isStorableText } from './json-codec-format.js';

export interface ListOptions {
  /** One status or several. */
  readonly status?: InstanceStatus | readonly InstanceStatus[];
  /** Part of the workflow's name, in any case. */
  readonly workflowName?: string;
  /** Part of the id, in any case. */
  readonly instanceId?: string;
  /** Started at or after. */
  readonly startedAfter?: Date;
  /** Started before. */
  readonly startedBefore?: Date;
  /** Members of the input that must be equal, by path: `{ 'customer.id': 7, 'items[0].sku': 'a' }`. Types count: `7` is not `'7'`. */
  readonly input?: Readonly<Record<string, string | number | boolean | null>>;
  /** Default 50, at most 1,000. */
  readonly limit?: number;
  /** The `cursor` of the page before; undefined: the first page. */
  readonly cursor?: string | undefined;
}

const mostPerPage = 1000;
/** The last moment that a Date can hold; every database can hold it, too. */
const lastMoment = 8.64e15;

/** @throws InvalidArgumentError when a member is malformed. */
export function toListRequest(options: ListOptions): ListRequest {
  if (typeof options !== 'object' || options === null) throw refused('options', options, 'an object, or nothing');
  const limit = options.limit ?? 50;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > mostPerPage) {
    throw refused('limit', limit, `a whole number from 1 to ${mostPerPage}`);
  }
  const status = options.status === undefined ? undefined : Array.isArray(options.status) ? options.status : [options.status];
  for (const one of (status ?? []) as readonly InstanceStatus[]) {
    if (!instanceStatuses.includes(one)) throw refused('status', one, instanceStatuses.join(', '));
  }
  if (
    options.input !== undefined &&
    (typeof options.input !== 'object' || options.input === null || Array.isArray(options.input))
  ) {
    throw refused('input', options.input, `an object such as { 'customer.id': 7 }`);
  }
  return {
    status: status as readonly InstanceStatus[] | undefined,
    workflowName: partOfName(options.workflowName, 'workflowName'),
    instanceId: partOfName(options.instanceId, 'instanceId'),
    startedAfter: moment(options.startedAfter, 'startedAfter'),
    startedBefore: moment(options.startedBefore, 'startedBefore'),
    input: Object.entries(options.input ?? {}).map(([path, equals]) => inputFilter(path, equals)),
    limit,
    after: options.cursor === undefined ? undefined : parseCursor(options.cursor),
  };
}

/** The cursor behind a row. Opaque to users; stable while rows come and go. */
export function cursorAfter(row: { readonly createdAt: number; readonly instanceId: string }): string {
  return Buffer.from(JSON.stringify([row.createdAt, row.instanceId])).toString('base64url');
}

function parseCursor(cursor: string): { createdAt: number; instanceId: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 2) {
      const [createdAt, instanceId] = parsed as unknown[];
      if (typeof createdAt === 'number' && createdAt >= 0 && createdAt <= lastMoment && isName(instanceId))
        return { createdAt, instanceId };
    }
  } catch {
    // Not ours: refused below.
  }
  throw refused('cursor', cursor, 'the cursor that an earlier page gave');
}

function inputFilter(path: string, equals: unknown): InputFilter {
  if (!isJsonScalar(equals)) {
    throw refused(`input[${JSON.stringify(path)}]`, equals, 'a string, a finite number, a boolean or null');
  }
  const parsed = parseJsonPath(path);
  if (parsed === undefined) throw refused('input', path, `paths such as customer.id, items[0].sku, ["odd name"]`);
  return { path: parsed, equals };
}

/** Nothing began before 1970, and there are databases that do not know the oldest dates. */
function moment(value: Date | undefined, argument: string): number | undefined {
  if (value === undefined) return undefined;
  const at = value === null ? Number.NaN : Number(value);
  if (!Number.isFinite(at)) throw refused(argument, value, 'a valid Date');
  return Math.min(Math.max(at, 0), lastMoment);
}

function partOfName(value: string | undefined, argument: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && isStorableText(value))) return value;
  throw refused(argument, value, 'a part of it as text, without U+0000 and halves of surrogate pairs');
}

function refused(argument: string, value: unknown, allowed: string): InvalidArgumentError {
  return new InvalidArgumentError(`list: ${argument} is ${shown(value)}; it takes ${allowed}`, { argument });
}

/** Whatever was given, in a form that can be read. */
function shown(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}
