// What the context of a workflow's function, and its durable calls, ask of their run.
import { NonDeterminismError, NotRunningError } from '../domain/errors.js';
import type { HistoryKind } from '../domain/history.js';
import type { CallIds, CallIdentity } from './call-ids.js';
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { ContextHost, OnceOrder, StartedChild } from './context-host.js';
import type { ExtraFacts } from './entry-extras.js';
import type { Mailbox } from './mailbox.js';
import type { OpenCalls } from './open-calls.js';
import type { DurableCall, Proposal } from './operations/durable-call.js';
import type { OutcomeDelivery } from './outcome-delivery.js';
import type { RunCancellation } from './run-cancellation.js';
import type { RunExit } from './run-exit.js';
import type { RunIntake } from './run-intake.js';
import type { RunPump } from './run-pump.js';
import type { RunRecorder } from './run-recorder.js';
import type { RunReplay } from './run-replay.js';
import type { RunServices } from './run-services.js';
import type { Compensable, Saga } from './saga.js';
import { Subscriptions } from './subscriptions.js';

/** What is durable already. */
const settled = Promise.resolve();

/** So many calls that have their outcome at once, and the event loop has a turn: by their number, which is the same on every run. */
export const mostInARow = 100;
/** With more entries in memory that are not durable, the code waits for the database. */
const mostUndurable = 1000;

export interface RunHostParts {
  readonly instanceId: string;
  readonly workflow: AnyWorkflow;
  readonly generation: number;
  readonly services: RunServices;
  readonly mailbox: Mailbox;
  readonly ids: CallIds;
  readonly calls: OpenCalls;
  readonly recorder: RunRecorder;
  readonly replay: RunReplay;
  readonly delivery: OutcomeDelivery;
  readonly exit: RunExit;
  readonly pump: RunPump;
  readonly cancellation: RunCancellation;
  readonly saga: Saga;
  /** False: what begins now would be abandoned, or is decided by a settlement on its way. */
  readonly mayGoLive: boolean;
  /** The code is over: its calls are nobody's. */
  readonly isCodeOver: boolean;
  readonly intake: RunIntake;
  onRecur(input: string): void;
}

/** Records what is recorded at the call; passes on the rest to those whose duty it is. */
export class RunHost implements ContextHost {
  /** Null: its code has asked for nothing that has to do with them. */
  #subscriptions: Subscriptions | null = null;
  /** Children that have not ended, as far as the code knows. Null: there never was one. */
  #children: Map<string, StartedChild> | null = null;
  /** Set by the run. */
  isReplaying = false;
  /** Set by the run. */
  draining = false;
  readonly #parts: RunHostParts;
  #working = 0;
  /** How many promises of what it had already the code has got. */
  #given = 0;

  constructor(parts: RunHostParts) {
    this.#parts = parts;
  }

  get instanceId(): string {
    return this.#parts.instanceId;
  }

  get workflowName(): string {
    return this.#parts.workflow.name;
  }

  get workflow(): AnyWorkflow {
    return this.#parts.workflow;
  }

  get generation(): number {
    return this.#parts.generation;
  }

  get services(): RunServices {
    return this.#parts.services;
  }

  get mailbox(): Mailbox {
    return this.#parts.mailbox;
  }

  get subscriptions(): Subscriptions {
    this.#subscriptions ??= new Subscriptions();
    return this.#subscriptions;
  }

  get signal(): AbortSignal {
    return this.#parts.cancellation.signal;
  }

  /** Attempts and reads are under way: the run is not put away meanwhile. */
  get isWorking(): boolean {
    return this.#working > 0;
  }

  nextCall(name: string, explicitId?: string): CallIdentity {
    if (this.#parts.exit.end !== null || this.#parts.isCodeOver) {
      throw this.#isOver();
    }
    return this.#parts.ids.next(name, explicitId);
  }

  #isOver(): NotRunningError {
    return new NotRunningError(`this execution of instance ${JSON.stringify(this.instanceId)} is over`);
  }

  open(call: DurableCall): void {
    const { calls, replay, exit, pump } = this.#parts;
    calls.add(call);
    if (replay.next === undefined) {
      if (this.#parts.mayGoLive) calls.goLive(call);
    } else {
      // Entries recorded at the call are taken at the call, so that a `now()` right behind finds its own entry next.
      try {
        replay.takeAtTheCall(call);
      } catch (error) {
        void exit.stall(error as Error);
      }
    }
    pump.codeMoves();
  }

  atOnce({ name, verb, kind, make }: OnceOrder): unknown {
    const { position, id } = this.nextCall(name);
    const { replay, recorder, exit, pump } = this.#parts;
    const { codec } = this.services;
    // It never came so far: the code awaited something of its own when its end was decided.
    if (replay.next?.kind === 'compensation_begun') throw this.#isOver();
    if (replay.next !== undefined) {
      try {
        const entry = replay.takeAtOnce({ position, id, verb, kind });
        // The replay may be waiting for this very call: what history has behind it is due now.
        pump.codeMoves();
        return codec.decode(entry.data!);
      } catch (error) {
        if (error instanceof NonDeterminismError) void exit.stall(error);
        throw error;
      }
    }
    const { value, extras } = make();
    recorder.record({ position, id, kind, data: codec.encode(value), dueAt: null }, extras);
    pump.codeMoves();
    return value;
  }

  given<T>(value: T): Promise<T> {
    if (++this.#given % mostInARow !== 0) return Promise.resolve(value);
    const { pump, recorder } = this.#parts;
    const until = (): Promise<void> => (recorder.undurable < mostUndurable ? settled : this.durable());
    return pump.pauseCode(until).then(() => value);
  }

  recordAtCall(
    call: DurableCall,
    { kind, data, dueAt }: { readonly kind: HistoryKind; readonly data: string | null; readonly dueAt: number | null },
    extras?: ExtraFacts,
  ): void {
    call.apply(this.#parts.recorder.record({ position: call.position, id: call.id, kind, data, dueAt }, extras));
  }

  readSignals(): Promise<void> {
    return this.#parts.intake.read();
  }

  childStarted(child: StartedChild): void {
    this.#children ??= new Map();
    this.#children.set(child.instanceId, child);
  }

  childEnded(instanceId: string): void {
    this.#children?.delete(instanceId);
  }

  get openChildren(): readonly StartedChild[] {
    return this.#children === null ? [] : [...this.#children.values()];
  }

  compensable(completed: Compensable): void {
    this.#parts.saga.add(completed);
  }

  recur(input: string): void {
    this.#parts.onRecur(input);
  }

  propose(proposal: Proposal): void {
    this.#parts.delivery.add(proposal);
    this.#parts.pump.wakeUp();
  }

  durable(): Promise<void> {
    return this.#parts.recorder.last?.done ?? settled;
  }

  broken(error: Error): void {
    void this.#parts.exit.breakOff(error);
  }

  workBegins(): void {
    this.#working++;
  }

  workEnds(): void {
    this.#working--;
    this.#parts.pump.wakeUp();
  }
}
