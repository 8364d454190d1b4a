// Starts instances for users: one, or many at a time.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { validate } from '../authoring/standard-schema.js';
import { ConfigurationError, InstanceConflictError } from '../domain/errors.js';
import { messageOf } from '../domain/errors/message-of.js';
import { isName, timeOrderedUuid } from '../domain/ids.js';
import { hop } from '../engine/hop.js';
import { encodePayload } from '../engine/payload.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { StartManyOptions, StartOptions, WorkflowStart } from './call-arguments.js';
import type { ResolvedOptions } from './options.js';
import { StartChunk, type ChunkedStart } from './start-chunk.js';

/** What came of one of many starts: of which instance, and whether it is new, was there as the caller allowed, or is none. */
export type StartOutcome =
  | { readonly outcome: 'started' | 'existing'; readonly instanceId: string }
  | { readonly outcome: 'failed'; readonly instanceId: string; readonly error: Error };

export interface AppStartsParts {
  readonly options: ResolvedOptions;
  readonly scheduler: Scheduler;
  readonly stopSignal: AbortSignal;
}

type Identity = Pick<NewInstance, 'instanceId' | 'startToken'>;
type Committed = 'started' | 'conflict' | { readonly error: unknown };
type OnConflict = Pick<StartOptions, 'onConflict'>;

/** So many inputs are made ready in a row: a schema may take its time, and others have their turn. */
const inARow = 100;

export class AppStarts {
  readonly #parts: AppStartsParts;

  constructor(parts: AppStartsParts) {
    this.#parts = parts;
  }

  /** As `startWorkflow()` of the app, with checked options; it may throw at once as well. @returns the id. */
  one(workflow: AnyWorkflow, input: unknown, options: StartOptions): Promise<string> {
    const identity = this.#identify(options.instanceId);
    this.#checkDefinition(workflow, 'startWorkflow');
    const { instanceId, startToken } = identity;
    // Hundreds of starts wait for their commit at once: each of them by one promise here, and no frame of an async function.
    const start = (text: string): Promise<string> =>
      this.#parts.scheduler
        .startInstance({ instanceId, workflowName: workflow.name, input: text, startToken })
        .then((outcome) => (outcome === 'started' ? instanceId : this.#existing(workflow, instanceId, options)));
    const text = this.#inputOf(workflow, input);
    return typeof text === 'string' ? start(text) : text.then(start);
  }

  /** @returns the id, which is in use, if that is what the caller wants. */
  async #existing(workflow: AnyWorkflow, instanceId: string, options: OnConflict): Promise<string> {
    const error = (await this.#conflicts(workflow, [instanceId], options)).get(instanceId);
    if (error !== undefined) throw error as Error;
    return instanceId;
  }

  /**
   * As `startMany()` of the app, with checked arguments; in the order of the list. While one chunk is committed the next is made ready, and
   * no more than these two are in memory.
   */
  async many(
    workflow: AnyWorkflow,
    starts: readonly WorkflowStart<unknown>[],
    options: StartManyOptions,
  ): Promise<readonly StartOutcome[]> {
    this.#checkDefinition(workflow, 'startMany');
    const outcomes = new Array<StartOutcome>(starts.length);
    const commit = async (chunk: StartChunk): Promise<void> => {
      for (const [index, outcome] of await this.#startChunk(workflow, chunk, options)) outcomes[index] = outcome;
    };
    let chunk = new StartChunk();
    let committing = Promise.resolve();
    for (let index = 0; index < starts.length; index++) {
      const { input, instanceId: given } = starts[index]!;
      const { instanceId, startToken } = this.#identify(given);
      if (index % inARow === inARow - 1) await hop();
      try {
        this.#parts.stopSignal.throwIfAborted();
        const text = await this.#inputOf(workflow, input);
        chunk.add({ index, instance: { instanceId, workflowName: workflow.name, input: text, startToken, owned: false } });
      } catch (error) {
        outcomes[index] = failed(instanceId, error);
      }
      if (!chunk.isFull) continue;
      await committing;
      committing = commit(chunk);
      chunk = new StartChunk();
    }
    await committing;
    await commit(chunk);
    return outcomes;
  }

  /** Never rejects: what went wrong is told of each start that it went wrong with. */
  async #startChunk(
    workflow: AnyWorkflow,
    { starts, repeated }: StartChunk,
    options: OnConflict,
  ): Promise<readonly (readonly [index: number, outcome: StartOutcome])[]> {
    if (starts.length === 0) return [];
    const commits = await this.#commit(starts.map(({ instance }) => instance));
    const isTaken = ({ instance }: ChunkedStart): boolean => commits.get(instance.instanceId) === 'conflict';
    const asked = [...starts.filter(isTaken), ...repeated].map(({ instance }) => instance.instanceId);
    const conflicts = await this.#conflicts(workflow, asked, options).catch((error: unknown) => everyOne(asked, error));
    const existing = (instanceId: string): StartOutcome => {
      const error = conflicts.get(instanceId);
      return error === undefined ? { outcome: 'existing', instanceId } : failed(instanceId, error);
    };
    const outcomeOf = ({ instance: { instanceId } }: ChunkedStart, whenStarted: typeof existing): StartOutcome => {
      const commit = commits.get(instanceId)!;
      if (commit === 'started') return whenStarted(instanceId);
      return commit === 'conflict' ? existing(instanceId) : failed(instanceId, commit.error);
    };
    return [
      ...starts.map((start) => [start.index, outcomeOf(start, (instanceId) => ({ outcome: 'started', instanceId }))] as const),
      ...repeated.map((start) => [start.index, outcomeOf(start, existing)] as const),
    ];
  }

  /** In one commit; one by one if the database refuses that for something in it. */
  async #commit(instances: readonly NewInstance[]): Promise<ReadonlyMap<string, Committed>> {
    const { scheduler, stopSignal } = this.#parts;
    const committed = new Map<string, Committed>();
    try {
      const taken = await scheduler.startInstances(instances);
      for (const { instanceId } of instances) committed.set(instanceId, taken.has(instanceId) ? 'conflict' : 'started');
    } catch (error) {
      // With the app that is being stopped, all of them go; nothing else is the fault of more than one.
      const alone = (instance: NewInstance): Promise<Committed> =>
        stopSignal.aborted
          ? Promise.resolve({ error })
          : scheduler.startInstance(instance).catch((reason: unknown) => ({ error: reason }));
      const outcomes = await Promise.all(instances.map(alone));
      for (const [index, { instanceId }] of instances.entries()) committed.set(instanceId, outcomes[index]!);
    }
    return committed;
  }

  /** What starting with these ids, which are in use, is refused with. Without an entry: the caller wants what is there. */
  async #conflicts(
    workflow: AnyWorkflow,
    instanceIds: readonly string[],
    { onConflict }: OnConflict,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (instanceIds.length === 0) return new Map();
    if (onConflict !== 'existing') {
      return new Map(instanceIds.map((instanceId) => [instanceId, new InstanceConflictError({ instanceId })]));
    }
    const { options, scheduler, stopSignal } = this.#parts;
    const there = await scheduler.health.keepTrying(() => options.storage.instances.workflowsOf(instanceIds), stopSignal);
    // Its handle would promise the output of a workflow that it is not.
    const others = there.filter(({ workflowName }) => workflowName !== workflow.name);
    return new Map(others.map((other) => [other.instanceId, new InstanceConflictError(other)]));
  }

  #identify(given: string | undefined): Identity {
    const { clock, entropy } = this.#parts.options;
    if (given !== undefined) return { instanceId: given, startToken: entropy.uuid() };
    // Of an id that was made here, nobody else starts an instance.
    const instanceId = timeOrderedUuid(clock.now(), entropy.uuid());
    return { instanceId, startToken: instanceId };
  }

  /** A promise only where a schema has to be asked. */
  #inputOf({ name, options }: AnyWorkflow, input: unknown): string | Promise<string> {
    const encode = (value: unknown): string => encodePayload(value, `the input of workflow ${name}`, this.#parts.options);
    return options.input === undefined
      ? encode(input)
      : validate(options.input, input, `input of workflow ${name}`).then((valid) => encode(valid));
  }

  #checkDefinition(workflow: AnyWorkflow, verb: string): void {
    if (workflow?.type !== 'workflow') {
      const given: unknown = workflow;
      const hint = isName(given) ? `, and not its name (${given})` : '';
      throw new ConfigurationError(`${verb} takes what defineWorkflow returned${hint}`, { option: 'workflow' });
    }
    const own = this.#parts.options.workflows.get(workflow.name);
    if (own !== undefined && own !== workflow) {
      throw new ConfigurationError(
        `workflow ${JSON.stringify(workflow.name)} is served by this app with another definition than the one given; pass that one`,
        { option: 'workflow' },
      );
    }
  }
}

function failed(instanceId: string, thrown: unknown): StartOutcome {
  const error = thrown instanceof Error ? thrown : new Error(`not an error was thrown: ${messageOf(thrown)}`, { cause: thrown });
  return { outcome: 'failed', instanceId, error };
}

function everyOne(instanceIds: readonly string[], error: unknown): ReadonlyMap<string, unknown> {
  return new Map(instanceIds.map((instanceId) => [instanceId, error]));
}
