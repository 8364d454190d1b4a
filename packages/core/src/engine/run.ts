// One execution of one instance in this process: code and history in, progress and an end out.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { validate } from '../authoring/standard-schema.js';
import {
  LeaseLostError,
  NonDeterminismError,
  NotRunningError,
  StorageUnavailableError,
  WorkflowCancelledError,
} from '../domain/errors.js';
import type { HistoryEntry, HistoryKind } from '../domain/history.js';
import type { FinalStatus } from '../domain/instance.js';
import type { FinishedInstance } from '../ports/instance-store.js';
import type { ActivityTransaction } from '../ports/activity-transaction.js';
import type { ClaimedRun } from '../ports/run-store.js';
import { Attention } from './attention.js';
import { CallIds, type CallIdentity } from './call-ids.js';
import { describeCall, describeEntry, verbOf } from './determinism.js';
import type { ContextHost } from './context-host.js';
import { HistoryCursor, isRecordedAtTheCall } from './history-cursor.js';
import { hop } from './hop.js';
import { LazyAbort } from './lazy-abort.js';
import { Mailbox } from './mailbox.js';
import { outsideActivity } from './nested-calls.js';
import { OpenCalls } from './open-calls.js';
import type { DurableCall, Proposal } from './operations/durable-call.js';
import { encodeError } from './encode-error.js';
import { encodePayload } from './payload.js';
import { RunRecorder, type EntryFacts } from './run-recorder.js';
import type { RunServices } from './run-services.js';
import { createWorkflowContext } from './workflow-context.js';

/** How an execution left this process's memory. */
export type RunEnd =
  | { readonly type: 'finished'; readonly finished: FinishedInstance }
  /** Put away, or handed back; `wakeAt` null: until something comes. */
  | { readonly type: 'parked' | 'released'; readonly wakeAt: number | null }
  | { readonly type: 'stalled'; readonly error: Error }
  /** Forgotten: this worker may write no more, or the process ends. */
  | { readonly type: 'dropped'; readonly reason: Error };

/** What the end of the code, or a cancellation, comes to. */
interface RunOutcome {
  readonly status: FinalStatus;
  readonly output: string | null;
  readonly error: string | null;
}

type CodeEnd = RunOutcome & { readonly status: 'completed' | 'failed' };

/** How long a replay waits for a call that history has and the code has not made yet, while the code awaits something of its own. */
const foreignAwaitMs = 10_000;

/**
 * The pump: hands one outcome to the code, lets the code come to rest (one hop), then the next; recorded outcomes first, in their
 * recorded order, then live ones, each recorded in the moment it is handed out. So the order in history is the order in which the
 * code came to know things, and a replay takes the same turns. With nothing to hand out and only waits open, the run is put away.
 *
 * phase: replaying → live → closing (a settlement is on its way) → ended.
 */
export class Run implements ContextHost {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly services: RunServices;
  readonly mailbox: Mailbox;
  readonly #workflow: AnyWorkflow;
  readonly #input: string;
  readonly #firstTime: boolean;
  readonly #cursor: HistoryCursor;
  readonly #ids: CallIds;
  readonly #calls = new OpenCalls();
  readonly #abort = new LazyAbort();
  readonly #proposals: Proposal[] = [];
  readonly #recorder: RunRecorder;
  readonly #attention = new Attention(() => this.#readSignals());
  #working = 0;
  #draining = false;
  #parking = false;
  #closing = false;
  #end: RunEnd | null = null;
  #cancel: { readonly reason: string | null } | null = null;
  #lateEnd: CodeEnd | null = null;
  /** The code may have moved since the last hop. */
  #stirred = true;
  #wake: (() => void) | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(workflow: AnyWorkflow, claimed: ClaimedRun, services: RunServices) {
    this.instanceId = claimed.instanceId;
    this.workflowName = claimed.workflowName;
    this.services = services;
    this.#workflow = workflow;
    this.#input = claimed.input;
    this.#firstTime = claimed.claims === 0;
    this.#ids = new CallIds(claimed.instanceId);
    this.#recorder = new RunRecorder(claimed.instanceId, services);
    this.#cursor = new HistoryCursor({
      entries: claimed.history,
      complete: claimed.historyComplete,
      load: (afterSeq) => services.reader.history(claimed.instanceId, afterSeq),
    });
    this.mailbox = new Mailbox({
      limit: services.mailLimit,
      load: (channel, after) => services.reader.mail(claimed.instanceId, channel, after),
    });
    this.mailbox.add(claimed.mail);
    if (claimed.cancel !== null) this.#requestCancel(claimed.cancel);
  }

  /** True while recorded outcomes are handed out. */
  get isReplaying(): boolean {
    return this.#cursor.next !== undefined;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get ended(): boolean {
    return this.#end !== null;
  }

  /** Runs until the instance leaves this process's memory. Never rejects. Called once. */
  async execute(): Promise<RunEnd> {
    try {
      await this.#prepare();
      if (this.#cancel === null) {
        if (this.#firstTime)
          this.services.hooks.call('onWorkflowStart', { instanceId: this.instanceId, workflowName: this.workflowName });
        this.#startCode();
      }
      await this.#pump();
    } catch (error) {
      if (this.#end === null) await this.#breakOff(error as Error);
    }
    this.#cancelTimer?.();
    return this.#end ?? { type: 'dropped', reason: new NotRunningError('the run ended without an end') };
  }

  /**
   * Something happened from outside (mail, a cancellation): reads what. Reading clears the instance's attention, and attention is
   * what refuses a park that would overlook something: so no park begins while a reading is under way (it counts as work), and no
   * reading begins while a park is under way (the park will be refused, and reads then). Never rejects.
   */
  async attend(): Promise<void> {
    if (this.#end !== null || this.#parking || this.#closing) return;
    this.workBegins();
    try {
      await this.#attention.request();
    } catch (error) {
      await this.#breakOff(error as Error);
    } finally {
      this.workEnds();
    }
  }

  /** Begin nothing new; hand the instance back as soon as what is under way has ended. */
  drain(): void {
    this.#draining = true;
    this.#stir();
  }

  /** Forget the instance now: nothing of it is recorded any more. */
  drop(reason: Error): void {
    if (this.#end === null) this.#finishWith({ type: 'dropped', reason });
  }

  // What the context of the workflow function calls.

  /** The identity of the next call. Throws when this execution is over: its code must not go on. */
  nextCall(name: string, explicitId?: string): CallIdentity {
    if (this.#end !== null) throw new NotRunningError(`this execution of instance ${JSON.stringify(this.instanceId)} is over`);
    return this.#ids.next(name, explicitId);
  }

  /** Takes a call that the code made. */
  open(call: DurableCall): void {
    this.#calls.add(call);
    const next = this.#cursor.next;
    if (next === undefined) {
      if (this.#mayGoLive) this.#calls.goLive(call);
    } else if (next.position === call.position && isRecordedAtTheCall(next.kind)) {
      // Entries recorded at the call are taken at the call, so that a `now()` right behind finds its own entry next.
      const mismatch = this.#mismatch(next, call);
      if (mismatch === null) this.#take(next, call);
      else void this.#stall(mismatch);
    }
    this.#stir();
  }

  /** The recorded value of a call that has its outcome at once, or that of `make`, which is then recorded. */
  value(name: string, make: () => unknown): unknown {
    const call = { ...this.nextCall(name), verb: 'value' } as const;
    const next = this.#cursor.next;
    if (next === undefined) {
      const value = make();
      this.#recorder.record({ ...call, kind: 'value', data: this.services.codec.encode(value), dueAt: null });
      this.#stir();
      return value;
    }
    if (next.kind !== 'value' || next.position !== call.position || next.callId !== call.id) {
      const error = this.#nonDeterminism(call.position, describeCall(call), describeEntry(next));
      void this.#stall(error);
      throw error;
    }
    this.#advance();
    return this.services.codec.decode(next.data!);
  }

  // CallHost: what calls ask of their run.

  recordAtCall(
    call: DurableCall,
    entry: { readonly kind: HistoryKind; readonly data: string | null; readonly dueAt: number | null },
  ): void {
    call.apply(this.#recorder.record({ position: call.position, id: call.id, ...entry }));
  }

  subscribed(channel: string): void {
    this.#recorder.subscribed(channel);
  }

  subscribe(channel: string): void {
    this.#recorder.subscribe(channel);
  }

  propose(proposal: Proposal): void {
    this.#proposals.push(proposal);
    this.#stir();
  }

  async durable(): Promise<void> {
    await this.#recorder.last?.done;
  }

  workBegins(): void {
    this.#working++;
  }

  workEnds(): void {
    this.#working--;
    this.#stir();
  }

  #startCode(): void {
    const context = createWorkflowContext(this);
    const input: unknown = this.services.codec.decode(this.#input);
    // The promise callbacks below are where the end is settled: in the same turn of the event loop as the last outcome, so that the
    // last step and the completion share one commit.
    outsideActivity(async () => {
      const output: unknown = await this.#workflow.execute(context, input);
      const schema = this.#workflow.options.output;
      const valid: unknown =
        schema === undefined ? output : await validate(schema, output, `output of workflow ${this.workflowName}`);
      return encodePayload(valid, `the output of workflow ${this.workflowName}`, this.services);
    }).then(
      (output) => this.#codeEnded({ status: 'completed', output, error: null }),
      (error: unknown) => this.#codeEnded({ status: 'failed', output: null, error: this.#encodeError(error) }),
    );
  }

  async #pump(): Promise<void> {
    for (;;) {
      if (this.#end !== null) return;
      if (this.#closing) {
        this.#stirred = false;
        await this.#sleepUntilWoken();
        continue;
      }
      if (this.#cancel !== null) {
        await this.#settleEnd({ status: 'cancelled', output: null, error: null });
        continue;
      }
      if (this.#stirred) {
        this.#stirred = false;
        await hop();
        continue;
      }
      const next = this.#cursor.next;
      if (next !== undefined) await this.#replayNext(next);
      else if (this.#proposals.length > 0) await this.#deliver(this.#proposals.shift()!);
      else if (!this.#expireDue()) await this.#rest();
    }
  }

  async #replayNext(entry: HistoryEntry): Promise<void> {
    const call = this.#calls.at(entry.position);
    if (call === undefined) {
      if (entry.position < this.#ids.issued) {
        throw this.#nonDeterminism(entry.position, 'made another call there, whose outcome came earlier', describeEntry(entry));
      }
      await this.#awaitCall(entry);
      return;
    }
    const mismatch = this.#mismatch(entry, call);
    if (mismatch !== null) throw mismatch;
    await this.#prepare();
    if (this.#end === null) this.#take(entry, call);
    this.#stirred = true;
  }

  async #prepare(): Promise<void> {
    await this.#cursor.prepare();
    this.#recorder.continueAfter(this.#cursor.lastSeq);
  }

  /** The code awaits something of its own (a digest, an import) before it makes the call that history has next. */
  async #awaitCall(entry: HistoryEntry): Promise<void> {
    let late = false;
    const cancel = this.services.clock.schedule(foreignAwaitMs, () => {
      late = true;
      this.#wake?.();
    });
    await this.#sleepUntilWoken();
    cancel();
    if (late) {
      throw this.#nonDeterminism(
        entry.position,
        `nothing for ${foreignAwaitMs / 1000} s, after ${this.#ids.issued} calls`,
        describeEntry(entry),
      );
    }
  }

  async #deliver(proposal: Proposal): Promise<void> {
    const { call } = proposal;
    const what = { position: call.position, id: call.id, kind: proposal.kind, data: proposal.data, dueAt: proposal.dueAt };
    let entry: HistoryEntry;
    if (proposal.transaction === undefined) {
      entry = this.#recorder.record(what, proposal.mailId);
      const { committed } = proposal;
      if (committed !== undefined) this.durable().then(committed, () => undefined);
    } else {
      const made = await this.#commitAlone(proposal, proposal.transaction, what);
      if (made === null) return;
      entry = made;
      proposal.committed?.();
    }
    if (call.apply(entry)) this.#calls.delete(call);
    this.#stirred = true;
  }

  /**
   * Commits one outcome in the activity's own transaction; null when that did not happen. All entries before it become durable with it
   * if they are not already, or a crash would leave a gap in what the code knew. When nobody can tell whether the commit took effect, the
   * run is broken off: whoever claims the instance next finds the truth in its history.
   */
  async #commitAlone(proposal: Proposal, transaction: ActivityTransaction, what: EntryFacts): Promise<HistoryEntry | null> {
    const entry = this.#recorder.number(what);
    try {
      await transaction.commit({ workerId: this.services.workerId, entry, before: this.#recorder.pending });
      return this.#recorder.stamped(entry);
    } catch (error) {
      await transaction.rollback();
      if (error instanceof LeaseLostError) throw error;
      if (error instanceof StorageUnavailableError) {
        throw new NotRunningError('the outcome of a commit is not known', { cause: error });
      }
      if (this.#end === null && this.#cancel === null) proposal.refused?.(error);
      return null;
    }
  }

  /** Lets waits whose time has come propose their end, the earliest first. */
  #expireDue(): boolean {
    const due = this.#calls.dueBy(this.services.storageTime.now());
    for (const call of due) call.expire();
    return due.length > 0;
  }

  /** Nothing to hand out: put the run away, hand it back, or wait for what is under way. */
  async #rest(): Promise<void> {
    if (this.#working === 0) {
      if (this.#calls.allWait) {
        await this.#park();
        return;
      }
      if (this.#draining) {
        this.#close(new NotRunningError('this process hands over its runs'));
        await this.services.progress.settle({ type: 'release', instanceId: this.instanceId, wakeAt: null }, [
          { kind: 'workflow_resumable', instanceId: this.instanceId, workflowName: this.workflowName },
        ]);
        this.#finishWith({ type: 'released', wakeAt: null });
        return;
      }
    }
    const dueAt = this.#calls.firstDue?.dueAt ?? null;
    if (dueAt !== null) {
      this.#cancelTimer = this.services.clock.schedule(Math.max(1, dueAt - this.services.storageTime.now()), () => this.#stir());
    }
    await this.#sleepUntilWoken();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  async #park(): Promise<void> {
    const next = this.#calls.firstDue;
    const wakeAt = next === null ? null : next.dueAt;
    this.#parking = true;
    this.#recorder.hold();
    const outcome = await this.services.progress.settle(
      { type: 'park', instanceId: this.instanceId, status: this.#calls.first!.waiting!.status, wakeAt },
      next === null ? [] : [{ kind: 'timer_expired', instanceId: this.instanceId, timerId: next.call.id, expiresAt: next.dueAt }],
    );
    if (outcome === 'done') {
      this.#finishWith({ type: 'parked', wakeAt });
      return;
    }
    // Refused: something came in while the park was on its way. The run goes on as if it had never asked.
    this.#parking = false;
    this.#recorder.letGo();
    await this.#attention.request();
    if (this.#mayGoLive) this.#calls.allGoLive();
    if (this.#lateEnd !== null) this.#codeEnded(this.#lateEnd);
  }

  async #readSignals(): Promise<void> {
    const signals = await this.services.reader.signals(this.instanceId);
    if (signals === undefined || this.#end !== null) return;
    this.mailbox.add(signals.mail);
    if (signals.cancel !== null) this.#requestCancel(signals.cancel);
    if (signals.mail.length > 0 && this.#cursor.next === undefined && this.#mayGoLive)
      for (const call of this.#calls) call.onMail?.();
    this.#stir();
  }

  #codeEnded(end: CodeEnd): void {
    if (this.#end !== null || this.#closing || this.#cancel !== null) return;
    if (this.#parking) {
      // It awaited something of its own, and came to its end while the run was being put away: whether it did is decided by the park.
      this.#lateEnd = end;
      return;
    }
    const left = this.#cursor.next;
    if (left !== undefined) {
      void this.#stall(
        this.#nonDeterminism(left.position, `ended (${end.status}) after ${this.#ids.issued} calls`, describeEntry(left)),
      );
      return;
    }
    this.#settleEnd(end).catch((error: unknown) => this.#breakOff(error as Error));
  }

  async #settleEnd(end: RunOutcome): Promise<void> {
    // What still runs lost a race: its outcome is nobody's any more.
    this.#close(new NotRunningError(`instance ${JSON.stringify(this.instanceId)} has ended`));
    const outcome = await this.services.progress.settle({ type: 'finish', instanceId: this.instanceId, ...end });
    if (outcome === 'refused') {
      await this.#attention.request();
      if (this.#cancel === null) throw new Error('the end of the instance was refused, but no cancellation was asked for');
      this.#closing = false;
      this.#stir();
      return;
    }
    const cancelReason = this.#cancel?.reason ?? null;
    this.#finishWith({ type: 'finished', finished: { instanceId: this.instanceId, cancelReason, ...end } });
    this.services.hooks.call('onWorkflowEnd', {
      instanceId: this.instanceId,
      workflowName: this.workflowName,
      status: end.status,
      ...(end.error === null ? {} : { error: this.services.codec.decode(end.error) }),
    });
  }

  /** The code does not fit its history: keep all as it is, say so on the instance, and let somebody else try. */
  async #stall(error: Error): Promise<void> {
    if (this.#end !== null || this.#closing) return;
    this.#close(error);
    try {
      const wakeAt = this.services.storageTime.ahead() + this.services.stallRetryMs;
      await this.services.progress.settle({
        type: 'stall',
        instanceId: this.instanceId,
        wakeAt,
        error: this.#encodeError(error),
      });
      this.#finishWith({ type: 'stalled', error });
    } catch (refusal) {
      this.#finishWith({ type: 'dropped', reason: refusal as Error });
    }
  }

  /** The pump cannot go on: without the lease the run is forgotten; anything else is a fault that must be seen on the instance. */
  async #breakOff(error: Error): Promise<void> {
    if (error instanceof LeaseLostError || error instanceof NotRunningError) {
      this.drop(error);
      return;
    }
    this.#closing = false;
    await this.#stall(error);
  }

  #requestCancel(cancel: { readonly reason: string | null }): void {
    if (this.#cancel !== null) return;
    this.#cancel = cancel;
    const reason = new WorkflowCancelledError({ instanceId: this.instanceId, reason: cancel.reason });
    this.#abort.abort(reason);
    for (const call of this.#calls) call.abandon(reason);
  }

  /** From here on nothing is recorded, begun or handed out; a settlement follows. Transactions end first: it may need their locks. */
  #close(reason: Error): void {
    this.#closing = true;
    this.#recorder.close();
    for (const call of this.#calls) call.abandon(reason);
    for (const { transaction } of this.#proposals.splice(0)) void transaction?.rollback();
  }

  #finishWith(end: RunEnd): void {
    this.#end = end;
    if (end.type === 'dropped') this.#abort.abort(end.reason);
    this.#close(end.type === 'dropped' ? end.reason : new NotRunningError('this execution is over'));
    this.#calls.clear();
    this.#stir();
  }

  #take(entry: HistoryEntry, call: DurableCall): void {
    if (call.apply(entry)) this.#calls.delete(call);
    this.#advance();
  }

  /** History has one entry less; with the last one the calls that are still open begin in earnest. */
  #advance(): void {
    this.#cursor.advance();
    if (this.#cursor.next === undefined && this.#mayGoLive) this.#calls.allGoLive();
  }

  get #mayGoLive(): boolean {
    return this.#end === null && !this.#closing && !this.#parking && this.#cancel === null;
  }

  #mismatch(entry: HistoryEntry, call: DurableCall): NonDeterminismError | null {
    if (verbOf(entry.kind) === call.verb && entry.callId === call.id) return null;
    return this.#nonDeterminism(entry.position, describeCall(call), describeEntry(entry));
  }

  #nonDeterminism(position: number, actual: string, expected: string): NonDeterminismError {
    return new NonDeterminismError({ instanceId: this.instanceId, workflowName: this.workflowName, position, actual, expected });
  }

  #encodeError(error: unknown): string {
    return encodeError(error, `the error of workflow ${this.workflowName}`, this.services);
  }

  #stir(): void {
    this.#stirred = true;
    this.#wake?.();
  }

  #sleepUntilWoken(): Promise<void> {
    if (this.#stirred) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}
