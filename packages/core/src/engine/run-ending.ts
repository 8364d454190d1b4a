// Decides how an instance ends: by its code, by a cancellation, by beginning anew; and that what is to be undone is undone first.
import type { HistoryEntry } from '../domain/history.js';
import { childrenAtRecurrence } from './carried-over.js';
import type { StartedChild } from './context-host.js';
import type { EffectFacts } from './entry-extras.js';
import type { OpenCalls } from './open-calls.js';
import type { OutcomeDelivery } from './outcome-delivery.js';
import type { RunCancellation } from './run-cancellation.js';
import { cancelOrders, type RunExit } from './run-exit.js';
import type { RunHost } from './run-host.js';
import type { RunIntake } from './run-intake.js';
import type { NextStep, RunPump } from './run-pump.js';
import type { RunOutcome } from './run-outcome.js';
import type { RunRecorder } from './run-recorder.js';
import type { RunReplay } from './run-replay.js';
import type { Saga, SagaDecision } from './saga.js';
import { undoingCall } from './undoing.js';

const cancelled: RunOutcome = { status: 'cancelled', output: null, error: null };
const noChildren: readonly StartedChild[] = [];

export interface RunEndingParts {
  readonly calls: OpenCalls;
  readonly replay: RunReplay;
  readonly recorder: RunRecorder;
  readonly delivery: OutcomeDelivery;
  readonly exit: RunExit;
  readonly pump: RunPump;
  readonly host: RunHost;
  readonly saga: Saga;
  /** When the instance was started. */
  readonly createdAt: number;
  readonly cancellation: RunCancellation;
  readonly intake: RunIntake;
}

export class RunEnding {
  readonly #parts: RunEndingParts;
  /** The code came to its end while the run was being put away: whether that counts is decided by the park. */
  #late: (() => void) | null = null;
  /** The code has failed, and outcomes that had come by then are still to be recorded: some of them may have to be undone. */
  #failed: RunOutcome | null = null;

  constructor(parts: RunEndingParts) {
    this.#parts = parts;
  }

  /** The workflow's function returned or threw. */
  codeEnded(outcome: RunOutcome): void {
    const { exit, replay, saga, delivery, pump } = this.#parts;
    if (this.#isDecided) return;
    if (exit.isParking) {
      this.#late ??= () => this.codeEnded(outcome);
      return;
    }
    // History knows it already, and what was undone since.
    if (replay.next?.kind === 'compensation_begun') return;
    // What had come by then is recorded behind the failure, and so it may be in history.
    if (outcome.status === 'failed' && !(saga.isEmpty && delivery.isEmpty && replay.next === undefined)) {
      this.#failed = outcome;
      pump.codeMoves();
      return;
    }
    const mismatch = replay.checkEnd(outcome.status);
    if (mismatch !== null) void exit.stall(mismatch);
    else this.#endOf(outcome).catch((error: unknown) => exit.breakOff(error as Error));
  }

  /** Nothing more begins: the code has failed. */
  get isFailing(): boolean {
    return this.#failed !== null;
  }

  /** The code asked to begin anew. @param input JSON text */
  recur(input: string): void {
    const { exit, replay } = this.#parts;
    if (this.#isDecided) return;
    if (exit.isParking) {
      this.#late ??= () => this.recur(input);
      return;
    }
    if (replay.next?.kind === 'compensation_begun') return;
    const mismatch = replay.checkEnd('recurred');
    if (mismatch !== null) void exit.stall(mismatch);
    else this.#recur(input).catch((error: unknown) => exit.breakOff(error as Error));
  }

  /** A park was refused: the code's end, if it came meanwhile, counts. */
  parkRefused(): void {
    const late = this.#late;
    this.#late = null;
    late?.();
  }

  /** Ends the instance as its cancellation asks, without its code: there is nothing to undo. */
  endAsCancelled(children: readonly StartedChild[]): Promise<void> {
    return this.#finish(cancelled, children);
  }

  /** History says that the code was over here. */
  takeDecision({ data }: HistoryEntry): void {
    const { host, saga } = this.#parts;
    saga.begin(host.services.codec.decode(data!) as SagaDecision);
    this.#codeIsOver();
  }

  /** What there is to do about the end when the code is at rest; undefined: nothing, the run goes on. */
  next(): NextStep | undefined {
    const { saga, calls, host, cancellation, replay, delivery } = this.#parts;
    if (saga.decision !== null) return calls.isEmpty ? this.#undoNext() : undefined;
    // What was done before is recorded first: it may have to be undone.
    if (replay.next !== undefined) return this.#failed === null ? undefined : this.#checkLeft(replay.next);
    if (!delivery.isEmpty) return undefined;
    if (cancellation.requested !== null) {
      if (saga.isEmpty) {
        cancellation.abandonCode();
        return this.#finish(cancelled, host.openChildren);
      }
      this.#beginUndoing({ status: 'cancelled', error: null });
      return 'again';
    }
    if (this.#failed === null) return undefined;
    if (saga.isEmpty) return this.#endOf(this.#failed);
    this.#beginUndoing({ status: 'failed', error: this.#failed.error });
    return 'again';
  }

  /** The code has failed, and history goes on: with outcomes of calls that it left open, or the code is not the one that made it. */
  #checkLeft({ position }: HistoryEntry): NextStep | undefined {
    const { calls, exit, replay } = this.#parts;
    return calls.at(position) === undefined ? exit.stall(replay.checkEnd('failed')!) : undefined;
  }

  #endOf(outcome: RunOutcome): Promise<void> {
    return this.#finish(outcome, outcome.status === 'failed' ? this.#parts.host.openChildren : noChildren);
  }

  get #isDecided(): boolean {
    const { exit, cancellation, saga } = this.#parts;
    return exit.isClosed || cancellation.requested !== null || saga.decision !== null || this.#failed !== null;
  }

  /** The decision is an entry: whoever goes on after a crash comes to the same end, whatever the code would do now. */
  #beginUndoing(decision: SagaDecision): void {
    const { host, saga, recorder, cancellation, pump } = this.#parts;
    const children = host.openChildren;
    const effects: EffectFacts[] = [
      { type: 'compensating' },
      ...host.subscriptions.seekingTopics().map((topic) => ({ type: 'unseek', topic }) as const),
      ...cancelOrders(children, { parentId: host.instanceId, reason: cancellation.requested?.reason ?? null }).map(
        (order) => ({ type: 'cancel', order }) as const,
      ),
    ];
    const wakeups = children.map((child) => ({ kind: 'workflow_resumable', ...child }) as const);
    const data = host.services.codec.encode(decision);
    recorder.record({ position: -1, id: 'compensation', kind: 'compensation_begun', data, dueAt: null }, { effects, wakeups });
    saga.begin(decision);
    this.#codeIsOver();
    pump.codeMoves();
  }

  #codeIsOver(): void {
    const { calls, cancellation } = this.#parts;
    cancellation.abandonCode();
    calls.clear();
  }

  /** @throws CompensationNotFoundError, which stalls the instance. */
  #undoNext(): NextStep {
    const { host, saga, calls, replay, cancellation, exit } = this.#parts;
    const completed = saga.takeNext();
    if (completed === undefined) {
      const mismatch = replay.checkEnd('undone');
      if (mismatch !== null) return exit.stall(mismatch);
      const { status, error } = saga.decision!;
      return this.#finish(cancellation.requested === null ? { status, output: null, error } : cancelled, noChildren);
    }
    const call = undoingCall(host, saga, completed);
    calls.add(call);
    if (replay.next === undefined) calls.goLive(call);
    return 'again';
  }

  async #finish(outcome: RunOutcome, children: readonly StartedChild[]): Promise<void> {
    const { exit, cancellation, host, saga } = this.#parts;
    const compensationFailures = saga.failures(host.services.codec);
    if (await exit.finish(outcome, { reason: cancellation.requested?.reason ?? null, children, compensationFailures })) return;
    await this.#endRefused();
  }

  async #recur(input: string): Promise<void> {
    const { exit, host, createdAt, intake } = this.#parts;
    const { generation, mailbox, subscriptions } = host;
    const isDone = await exit.recur({
      input,
      generation,
      createdAt,
      subscriptions: subscriptions.carried(),
      children: () => childrenAtRecurrence(host.openChildren, { mailbox, read: () => intake.read() }),
      isOwned: () => !host.draining,
    });
    if (isDone) return;
    await this.#endRefused();
  }

  /** A cancellation came first: it decides what comes now. */
  async #endRefused(): Promise<void> {
    const { exit, cancellation, delivery, pump, intake } = this.#parts;
    exit.reopen();
    delivery.takeBack();
    await intake.read();
    if (cancellation.requested === null)
      throw new Error('the end of the instance was refused, but no cancellation was asked for');
    pump.wakeUp();
  }
}
