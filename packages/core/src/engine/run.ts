// One execution of one instance in this process: code and history in, progress and an end out.
import { AsyncResource } from 'node:async_hooks';
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
import type { ActivityTransaction } from '../ports/activity-transaction.js';
import type { ClaimedRun } from '../ports/run-store.js';
import { Attention } from './attention.js';
import { CallIds, type CallIdentity } from './call-ids.js';
import type { ContextHost } from './context-host.js';
import { encodeError } from './encode-error.js';
import { HistoryCursor } from './history-cursor.js';
import { afterHop } from './hop.js';
import { LazyAbort } from './lazy-abort.js';
import { Mailbox } from './mailbox.js';
import { outsideActivity } from './nested-calls.js';
import { OpenCalls } from './open-calls.js';
import type { DurableCall, Proposal } from './operations/durable-call.js';
import { encodePayload } from './payload.js';
import { RunExit, type RunEnd, type RunOutcome } from './run-exit.js';
import { RunRecorder, type EntryFacts } from './run-recorder.js';
import { RunReplay } from './run-replay.js';
import type { RunServices } from './run-services.js';
import { createWorkflowContext } from './workflow-context.js';

/** What is durable already. */
const settled = Promise.resolve();

/**
 * The pump: hands one outcome to the code, lets the code come to rest (one hop), then the next; recorded outcomes first, in their
 * recorded order, then live ones, each recorded in the moment it is handed out. So the order in history is the order in which the
 * code came to know things, and a replay takes the same turns. With nothing to hand out and only waits open, the run is put away.
 */
export class Run implements ContextHost {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Under which claim of the instance this is executed. */
  readonly claim: number;
  readonly services: RunServices;
  readonly mailbox: Mailbox;
  readonly #workflow: AnyWorkflow;
  readonly #input: string;
  readonly #firstTime: boolean;
  readonly #ids: CallIds;
  readonly #calls = new OpenCalls();
  readonly #replay: RunReplay;
  readonly #recorder: RunRecorder;
  readonly #exit: RunExit;
  readonly #attention = new Attention(() => this.#readSignals());
  readonly #abort = new LazyAbort();
  /** Live outcomes that wait for their turn. */
  readonly #proposals: Proposal[] = [];
  /** Attempts and reads under way: while there are any, the run is not put away. */
  #working = 0;
  /** The code is where an earlier run of it has been already: history goes on, or the code has not come to rest behind its end. */
  #repeating = false;
  #draining = false;
  #cancel: { readonly reason: string | null } | null = null;
  /** The code came to its end while the run was being put away. */
  #lateEnd: RunOutcome | null = null;
  /** Runs share turns and commits; what the code keeps in AsyncLocalStorage is its own run's all the same. */
  readonly #context = new AsyncResource('romancy.run');
  /** The code was given something, or made a call by itself, since it was last let come to rest. */
  #moved = true;
  /** It is being let come to rest. */
  #settling = false;
  /** Something happened since the last turn. */
  #woken = false;
  /** The pump has nothing to do until something happens. */
  #resting = false;
  /** Takes back the timer of the earliest time limit. */
  #cancelTimer: (() => void) | null = null;
  #wake: (() => void) | null = null;
  #resolveEnd!: (end: RunEnd) => void;

  constructor(workflow: AnyWorkflow, claimed: ClaimedRun, services: RunServices) {
    const { instanceId, workflowName, claim } = claimed;
    this.instanceId = instanceId;
    this.workflowName = workflowName;
    this.claim = claim;
    this.services = services;
    this.#workflow = workflow;
    this.#input = claimed.input;
    this.#firstTime = claim === 1;
    this.#ids = new CallIds(instanceId);
    this.#recorder = new RunRecorder(instanceId, services);
    this.#exit = new RunExit({
      instanceId,
      workflowName,
      claim,
      services,
      recorder: this.#recorder,
      onClose: (why) => this.#abandonAll(why),
      onEnd: () => this.#ended(),
    });
    this.#replay = new RunReplay({
      instanceId,
      workflowName,
      ids: this.#ids,
      calls: this.#calls,
      clock: services.clock,
      cursor: new HistoryCursor({
        entries: claimed.history,
        complete: claimed.historyComplete,
        load: (afterSeq) => services.reader.history(instanceId, afterSeq),
      }),
      onLoaded: (lastSeq) => this.#recorder.continueAfter(lastSeq),
      onUsedUp: () => {
        if (this.#mayGoLive) this.#calls.allGoLive();
      },
    });
    this.mailbox = new Mailbox({
      limit: services.mailLimit,
      load: (channel, after) => services.reader.mail(instanceId, channel, after),
    });
    this.mailbox.add(claimed.mail);
    if (claimed.cancel !== null) this.#requestCancel(claimed.cancel);
  }

  get isReplaying(): boolean {
    return this.#repeating;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Runs until the instance leaves this process's memory. Never rejects. Called once. */
  execute(): Promise<RunEnd> {
    return new Promise((resolve) => {
      this.#resolveEnd = resolve;
      this.#goOnAfter(this.#begin());
    });
  }

  /**
   * Something happened from outside (mail, a cancellation): reads what. Reading clears the instance's attention, and attention is
   * what refuses a park that would overlook something: so no park begins while a reading is under way (it counts as work), and no
   * reading begins while a park is under way (the park will be refused, and reads then). Never rejects.
   */
  async attend(): Promise<void> {
    if (!this.#exit.isOpen) return;
    this.workBegins();
    try {
      await this.#attention.request();
    } catch (error) {
      await this.#exit.breakOff(error as Error);
    } finally {
      this.workEnds();
    }
  }

  /** Begin nothing new; hand the instance back as soon as what is under way has ended. */
  drain(): void {
    this.#draining = true;
    this.#wakeUp();
  }

  /** Forget the instance now: nothing of it is recorded any more. */
  drop(reason: Error): void {
    if (this.#exit.end !== null) return;
    this.#abort.abort(reason);
    this.#exit.drop(reason);
  }

  // What the context of the workflow function calls.

  nextCall(name: string, explicitId?: string): CallIdentity {
    if (this.#exit.end !== null) {
      throw new NotRunningError(`this execution of instance ${JSON.stringify(this.instanceId)} is over`);
    }
    return this.#ids.next(name, explicitId);
  }

  open(call: DurableCall): void {
    this.#calls.add(call);
    if (this.#replay.next === undefined) {
      if (this.#mayGoLive) this.#calls.goLive(call);
    } else {
      // Entries recorded at the call are taken at the call, so that a `now()` right behind finds its own entry next.
      try {
        this.#replay.takeAtTheCall(call);
      } catch (error) {
        void this.#exit.stall(error as Error);
      }
    }
    this.#codeMoves();
  }

  value(name: string, make: () => unknown): unknown {
    const { position, id } = this.nextCall(name);
    const { codec } = this.services;
    if (this.#replay.next !== undefined) {
      try {
        const entry = this.#replay.takeValue({ position, id, verb: 'value' });
        // The replay may be waiting for this very call: what history has behind it is due now.
        this.#codeMoves();
        return codec.decode(entry.data!);
      } catch (error) {
        if (error instanceof NonDeterminismError) void this.#exit.stall(error);
        throw error;
      }
    }
    const value = make();
    this.#recorder.record({ position, id, kind: 'value', data: codec.encode(value), dueAt: null });
    this.#codeMoves();
    return value;
  }

  // What calls ask of their run.

  recordAtCall(
    call: DurableCall,
    { kind, data, dueAt }: { readonly kind: HistoryKind; readonly data: string | null; readonly dueAt: number | null },
  ): void {
    call.apply(this.#recorder.record({ position: call.position, id: call.id, kind, data, dueAt }));
  }

  subscribed(channel: string): void {
    this.#recorder.subscribed(channel);
  }

  subscribe(channel: string): void {
    this.#recorder.subscribe(channel);
  }

  propose(proposal: Proposal): void {
    this.#proposals.push(proposal);
    this.#wakeUp();
  }

  durable(): Promise<void> {
    return this.#recorder.last?.done ?? settled;
  }

  broken(error: Error): void {
    void this.#exit.breakOff(error);
  }

  workBegins(): void {
    this.#working++;
  }

  workEnds(): void {
    this.#working--;
    this.#wakeUp();
  }

  #startCode(): void {
    const { instanceId, workflowName, services } = this;
    if (this.#firstTime) services.hooks.call('onWorkflowStart', { instanceId, workflowName });
    const context = createWorkflowContext(this);
    const input: unknown = services.codec.decode(this.#input);
    // The promise callbacks below are where the end is settled: in the same turn of the event loop as the last outcome, so that the
    // last step and the completion share one commit.
    outsideActivity(async () => {
      const output: unknown = await this.#workflow.execute(context, input);
      const schema = this.#workflow.options.output;
      const valid: unknown = schema === undefined ? output : await validate(schema, output, `output of workflow ${workflowName}`);
      return encodePayload(valid, `the output of workflow ${workflowName}`, services);
    }).then(
      (output) => this.#codeEnded({ status: 'completed', output, error: null }),
      (error: unknown) =>
        this.#codeEnded({
          status: 'failed',
          output: null,
          error: encodeError(error, `the error of workflow ${workflowName}`, services),
        }),
    );
  }

  async #begin(): Promise<void> {
    if (!this.#replay.isPrepared) await this.#replay.prepare();
    this.#repeating = this.#replay.next !== undefined;
    if (this.#cancel === null) this.#startCode();
  }

  /** Called by what the pump waits for, and by nothing else: whoever that is, in the async context of this run. */
  readonly #goOn = (): void => this.#context.runInAsyncScope(this.#pump, this);

  /** Until there is something to wait for. */
  #pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    while (this.#exit.end === null) {
      this.#woken = false;
      const next = this.#step();
      if (next === 'hop') {
        this.#hop();
        return;
      }
      if (next === 'rest') {
        if (this.#woken) continue;
        this.#resting = true;
        return;
      }
      if (next !== 'again') {
        this.#goOnAfter(next);
        return;
      }
    }
    this.#resolveEnd(this.#exit.end);
  }

  #goOnAfter(going: Promise<void>): void {
    going.catch((error: unknown) => this.#exit.breakOff(error as Error)).then(this.#goOn, this.#goOn);
  }

  /** Most steps have nothing to wait for, and no promise is made for them. */
  #step(): 'again' | 'hop' | 'rest' | Promise<void> {
    if (this.#exit.isClosed) return 'rest';
    try {
      if (this.#cancel !== null) return this.#finish({ status: 'cancelled', output: null, error: null });
      return this.#moved ? 'hop' : this.#turn();
    } catch (error) {
      return this.#exit.breakOff(error as Error);
    }
  }

  /** Lets the code come to rest. A replay records nothing on its way, and no commit needs to wait for it. */
  #hop(): void {
    this.#moved = false;
    this.#settling = true;
    const isLive = this.#replay.next === undefined;
    if (isLive) this.services.progress.goesOn();
    afterHop(isLive ? this.#liveAtRest : this.#atRest);
  }

  readonly #atRest = (): void => {
    this.#settling = false;
    this.#goOn();
  };

  readonly #liveAtRest = (): void => {
    this.services.progress.stays();
    this.#atRest();
  };

  /** The code is at rest: hand out the next outcome, or rest. */
  #turn(): 'again' | 'rest' | Promise<void> {
    const recorded = this.#replay.next;
    if (recorded !== undefined) return this.#repeat(recorded);
    this.#repeating = false;
    const proposal = this.#proposals.shift();
    if (proposal !== undefined) return this.#deliver(proposal);
    return this.#expireDue() ? 'again' : this.#rest();
  }

  #repeat(recorded: HistoryEntry): 'again' | Promise<void> {
    if (!this.#replay.take(recorded)) return this.#repeatLate(recorded);
    this.#moved = true;
    return 'again';
  }

  async #repeatLate(recorded: HistoryEntry): Promise<void> {
    await this.#replay.step(recorded, (wakeable) => {
      const woken = this.#untilWoken();
      wakeable(() => this.#wakeUp());
      return woken;
    });
    this.#moved = true;
  }

  #deliver(proposal: Proposal): 'again' | Promise<void> {
    const { call, transaction, committed } = proposal;
    const facts = { position: call.position, id: call.id, kind: proposal.kind, data: proposal.data, dueAt: proposal.dueAt };
    if (transaction !== undefined) return this.#deliverAlone(proposal, transaction, facts);
    const entry = this.#recorder.record(facts, proposal.mailId);
    // On the promise itself, without a turn in between: the hook of the last step is called before the one of the end.
    if (committed !== undefined) this.#recorder.last?.done.then(committed, () => undefined);
    this.#hand(call, entry);
    return 'again';
  }

  async #deliverAlone(proposal: Proposal, transaction: ActivityTransaction, facts: EntryFacts): Promise<void> {
    const entry = await this.#commitAlone(proposal, transaction, facts);
    if (entry === null) return;
    proposal.committed?.();
    this.#hand(proposal.call, entry);
  }

  #hand(call: DurableCall, entry: HistoryEntry): void {
    if (call.apply(entry)) this.#calls.delete(call);
    this.#moved = true;
  }

  /**
   * Commits one outcome in the activity's own transaction; null when that did not happen. All entries before it become durable with it
   * if they are not already, or a crash would leave a gap in what the code knew. When nobody can tell whether the commit took effect, the
   * run is broken off: whoever claims the instance next finds the truth in its history.
   */
  async #commitAlone(proposal: Proposal, transaction: ActivityTransaction, facts: EntryFacts): Promise<HistoryEntry | null> {
    const entry = this.#recorder.number(facts);
    try {
      await transaction.commit({ workerId: this.services.workerId, entry, before: this.#recorder.pending });
      return entry;
    } catch (error) {
      await transaction.rollback();
      if (error instanceof LeaseLostError) throw error;
      if (error instanceof StorageUnavailableError) {
        throw new NotRunningError('the outcome of a commit is not known', { cause: error });
      }
      if (!this.#exit.isClosed && this.#cancel === null) proposal.refused?.(error);
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
  #rest(): 'rest' | Promise<void> {
    const next = this.#calls.firstDue;
    if (this.#working === 0) {
      if (this.#calls.allWait) return this.#park(next);
      if (this.#draining) return this.#exit.release();
    }
    if (next !== null) {
      const { clock, storageTime } = this.services;
      this.#cancelTimer = clock.schedule(Math.max(1, next.dueAt - storageTime.now()), () => this.#wakeUp());
    }
    return 'rest';
  }

  async #park(next: { readonly call: DurableCall; readonly dueAt: number } | null): Promise<void> {
    const isAway = await this.#exit.park({
      status: this.#calls.first!.waiting!.status,
      next: next === null ? null : { timerId: next.call.id, dueAt: next.dueAt },
    });
    if (isAway || this.#exit.end !== null) return;
    await this.#attention.request();
    // What the code did while the answer was under way begins now.
    if (this.#mayGoLive) this.#calls.allGoLive();
    if (this.#lateEnd !== null) this.#codeEnded(this.#lateEnd);
  }

  async #readSignals(): Promise<void> {
    const signals = await this.services.reader.signals(this.instanceId);
    if (signals === undefined || this.#exit.end !== null) return;
    this.mailbox.add(signals.mail);
    if (signals.cancel !== null) this.#requestCancel(signals.cancel);
    if (signals.mail.length > 0 && this.#replay.next === undefined && this.#mayGoLive) {
      for (const call of this.#calls) call.onMail?.();
    }
    this.#wakeUp();
  }

  #codeEnded(outcome: RunOutcome): void {
    if (this.#exit.isClosed || this.#cancel !== null) return;
    if (this.#exit.isParking) {
      // It awaited something of its own, and came to its end meanwhile: whether that counts is decided by the park.
      this.#lateEnd = outcome;
      return;
    }
    const mismatch = this.#replay.checkEnd(outcome.status);
    if (mismatch !== null) void this.#exit.stall(mismatch);
    else this.#finish(outcome).catch((error: unknown) => this.#exit.breakOff(error as Error));
  }

  async #finish(outcome: RunOutcome): Promise<void> {
    if (await this.#exit.finish(outcome, this.#cancel?.reason ?? null)) return;
    await this.#attention.request();
    if (this.#cancel === null) throw new Error('the end of the instance was refused, but no cancellation was asked for');
    await this.#exit.finish({ status: 'cancelled', output: null, error: null }, this.#cancel.reason);
  }

  #requestCancel(cancel: { readonly reason: string | null }): void {
    if (this.#cancel !== null) return;
    this.#cancel = cancel;
    const reason = new WorkflowCancelledError({ instanceId: this.instanceId, reason: cancel.reason });
    this.#abort.abort(reason);
    this.#abandonAll(() => reason);
  }

  #abandonAll(why: () => Error): void {
    if (!this.#calls.isEmpty) {
      const reason = why();
      for (const call of this.#calls) call.abandon(reason);
    }
    for (const { transaction } of this.#proposals.splice(0)) void transaction?.rollback();
  }

  #ended(): void {
    this.#calls.clear();
    this.#wakeUp();
  }

  get #mayGoLive(): boolean {
    return this.#exit.isOpen && this.#cancel === null;
  }

  /** A call that follows from what the code was given needs no further hop: the one under way ends when all that follows has been called. */
  #codeMoves(): void {
    if (this.#settling) return;
    this.#moved = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake?.();
    if (!this.#resting) return;
    this.#resting = false;
    // Not within this call: what its caller does next may belong to what the pump has to see.
    void settled.then(this.#goOn);
  }

  #untilWoken(): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}
