// One execution of one instance in this process: code and history in, progress and an end out.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { HistoryEntry } from '../domain/history.js';
import type { ClaimedRun, Mail } from '../ports/run-store.js';
import { Attention } from './attention.js';
import { CallIds } from './call-ids.js';
import type { CarriedOver } from './carried-over.js';
import { HistoryCursor } from './history-cursor.js';
import { Mailbox } from './mailbox.js';
import { OpenCalls } from './open-calls.js';
import { OutcomeDelivery } from './outcome-delivery.js';
import { scanHistory } from './history-scan.js';
import { RunCancellation } from './run-cancellation.js';
import { RunEnding } from './run-ending.js';
import { RunExit, type RunEnd } from './run-exit.js';
import { RunHost } from './run-host.js';
import { RunPump, type NextStep } from './run-pump.js';
import { RunRecorder } from './run-recorder.js';
import { RunReplay } from './run-replay.js';
import type { RunServices } from './run-services.js';
import { RunSettling } from './run-settling.js';
import { Saga } from './saga.js';
import type { StartedChild } from './context-host.js';
import { startWorkflowCode } from './workflow-code.js';

/**
 * Hands one outcome to the code, lets the code come to rest (one hop), then the next; recorded outcomes first, in their recorded
 * order, then live ones, each recorded in the moment it is handed out. So the order in history is the order in which the code came
 * to know things, and a replay takes the same turns. With nothing to hand out and only waits open, the run is put away.
 */
export class Run {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Under which claim of the instance this is executed. */
  readonly claim: number;
  readonly #workflow: AnyWorkflow;
  readonly #claimed: ClaimedRun;
  readonly #services: RunServices;
  readonly #calls = new OpenCalls();
  readonly #replay: RunReplay;
  readonly #delivery: OutcomeDelivery;
  readonly #exit: RunExit;
  readonly #pump: RunPump;
  readonly #host: RunHost;
  readonly #settling: RunSettling;
  readonly #ending: RunEnding;
  readonly #saga = new Saga();
  /** Mail came with an answer since the last park began. */
  #wasHanded = false;
  /** Mail came with an answer since the last reading began: the instance's attention may stand for it alone. */
  #isAttentionHanded = false;
  /** Something was heard of since the last reading, or the last park, began. */
  #isNewsUnread = false;
  readonly #attention = new Attention(() => this.#readSignals());
  readonly #cancellation: RunCancellation;
  /** Cancelled before its code began, with nothing to undo: the children to cancel with it. */
  #endsAtOnce: readonly StartedChild[] | null = null;

  constructor(workflow: AnyWorkflow, claimed: ClaimedRun, services: RunServices) {
    const { instanceId, workflowName, claim } = claimed;
    this.instanceId = instanceId;
    this.workflowName = workflowName;
    this.claim = claim;
    this.#workflow = workflow;
    this.#claimed = claimed;
    this.#services = services;
    const ids = new CallIds(instanceId);
    const recorder = new RunRecorder(instanceId, services);
    this.#exit = new RunExit({
      instanceId,
      workflowName,
      claim,
      parentId: claimed.parentId,
      services,
      recorder,
      onClose: (why) => this.#abandonAll(why),
      onEnd: () => this.#ended(),
    });
    this.#replay = new RunReplay({
      instanceId,
      workflowName,
      ids,
      calls: this.#calls,
      clock: services.clock,
      cursor: new HistoryCursor({
        entries: claimed.history,
        start: claimed.historyStart,
        complete: claimed.historyComplete,
        load: (afterSeq) => services.reader.history(instanceId, afterSeq),
      }),
      onLoaded: (lastSeq) => recorder.continueAfter(lastSeq),
      onUsedUp: () => this.#goLive(),
    });
    this.#cancellation = new RunCancellation({ instanceId, calls: this.#calls, saga: this.#saga, replay: this.#replay });
    this.#pump = new RunPump({
      clock: services.clock,
      progress: services.progress,
      replay: this.#replay,
      exit: this.#exit,
      step: (moved) => this.#step(moved),
      stepInPause: () => this.#stepInPause(),
    });
    this.#delivery = new OutcomeDelivery({
      workerId: services.workerId,
      calls: this.#calls,
      recorder,
      onHanded: () => this.#pump.codeIsGiven(),
      tell: services.tell,
      onNews: services.onNews,
      isOver: () => !this.#mayGoLive,
    });
    const mailbox = new Mailbox({
      limit: services.mailLimit,
      load: (topic, after) => services.reader.mail(instanceId, topic, after),
    });
    mailbox.add(claimed.mail);
    this.#host = new RunHost({
      instanceId,
      workflow,
      generation: claimed.generation,
      services,
      mailbox,
      ids,
      calls: this.#calls,
      recorder,
      replay: this.#replay,
      delivery: this.#delivery,
      exit: this.#exit,
      pump: this.#pump,
      cancellation: this.#cancellation,
      saga: this.#saga,
      mayGoLive: () => this.#mayGoLive,
      isCodeOver: () => this.#saga.decision !== null,
      readSignals: () => this.#attention.request(),
      onRecur: (input) => this.#ending.recur(input),
    });
    this.#ending = new RunEnding({
      calls: this.#calls,
      replay: this.#replay,
      recorder,
      delivery: this.#delivery,
      exit: this.#exit,
      pump: this.#pump,
      host: this.#host,
      saga: this.#saga,
      createdAt: claimed.createdAt,
      cancellation: this.#cancellation,
      readSignals: () => this.#attention.request(),
    });
    this.#settling = new RunSettling({
      calls: this.#calls,
      exit: this.#exit,
      ending: this.#ending,
      pump: this.#pump,
      host: this.#host,
      storageTime: services.storageTime,
      onPark: () => {
        this.#wasHanded = false;
        this.#isNewsUnread = false;
      },
      readRefusal: () => this.#readRefusal(),
      goLive: () => this.#goLive(),
    });
    if (claimed.cancel !== null) this.#cancellation.request(claimed.cancel);
  }

  /** Runs until the instance leaves this process's memory. Never rejects. Called once. */
  async execute(): Promise<RunEnd> {
    const end = await this.#pump.start(this.#begin());
    // A reading of this run clears the attention of the instance, whoever runs it by then, and nobody takes what it brings. So the next run of it here
    // begins when that is over, and reads for itself: else a park of it could be accepted beside mail that it never saw.
    if (this.#attention.reading !== null && end.type !== 'finished') await this.#attention.reading.catch(() => undefined);
    return end;
  }

  /**
   * Something happened from outside (mail, a cancellation): reads what. Reading clears the instance's attention, and attention is
   * what refuses a park that would overlook something: so no park begins while a reading is under way (it counts as work), and no
   * reading begins while a park is under way (the park will be refused, and reads then). Never rejects.
   */
  async attend(): Promise<void> {
    this.#isNewsUnread = true;
    if (!this.#exit.isOpen) return;
    this.#host.workBegins();
    try {
      await this.#attention.request();
    } catch (error) {
      await this.#exit.breakOff(error as Error);
    } finally {
      this.#host.workEnds();
    }
  }

  /**
   * Mail came with the answer to a commit, and when that took effect there was nothing else to read.
   * @returns false: it is not taken, and is to be read by whoever goes on with the instance.
   */
  handMail(mail: Mail): boolean {
    if (this.#exit.isClosed) return false;
    this.#host.mailbox.add([mail]);
    this.#wasHanded = true;
    this.#isAttentionHanded = true;
    this.#takeMail();
    this.#pump.wakeUp();
    return true;
  }

  /** Whether that the instance has attention need be no news: it has, from mail that came with an answer to the next reading or park. */
  get isAttentionHanded(): boolean {
    return this.#isAttentionHanded;
  }

  /** Begin nothing new; hand the instance back as soon as what is under way has ended. */
  drain(): void {
    this.#host.draining = true;
    this.#pump.wakeUp();
  }

  /** Forget the instance now: nothing of it is recorded any more. */
  drop(reason: Error): void {
    if (this.#exit.end !== null) return;
    this.#cancellation.drop(reason);
    this.#exit.drop(reason);
  }

  async #begin(): Promise<void> {
    if (!this.#replay.isPrepared) await this.#replay.prepare();
    if (this.#cancellation.requested !== null) {
      const scanned = await scanHistory(this.#claimed, this.#services);
      if (!scanned.hasToUndo) {
        this.#endsAtOnce = scanned.openChildren;
        return;
      }
    }
    const carried = this.#replay.takeOf('carried_over');
    if (carried !== undefined) {
      const { subscriptions, children } = this.#services.codec.decode(carried.data!) as CarriedOver;
      this.#host.subscriptions.carry(subscriptions);
      for (const child of children) this.#host.childStarted(child);
    }
    this.#host.isReplaying = this.#replay.next !== undefined;
    const { instanceId, workflowName, claim } = this;
    if (claim === 1) this.#services.hooks.call('onWorkflowStart', { instanceId, workflowName });
    startWorkflowCode({
      workflow: this.#workflow,
      workflowName,
      input: this.#claimed.input,
      isInputChecked: this.#claimed.isInputChecked,
      services: this.#services,
      host: this.#host,
      onEnd: (outcome) => this.#ending.codeEnded(outcome),
    });
  }

  #step(moved: boolean): NextStep {
    if (this.#endsAtOnce !== null) return this.#ending.endAsCancelled(this.#endsAtOnce);
    return moved ? 'hop' : this.#turn();
  }

  /**
   * Between two calls of code that might go on for ever: it can be cancelled and handed back there, as a crash there would leave it, and it is over
   * if it has failed. Not while an outcome waits to be handed out, which is for code at rest alone: it would come at another place in a replay.
   */
  #stepInPause(): NextStep {
    // The code is over: there is no order to keep any more, and a pause of it may never end.
    if (this.#saga.decision !== null) return this.#turn();
    if (this.#replay.next !== undefined || !this.#delivery.isEmpty) return 'rest';
    if (this.#cancellation.requested !== null || this.#ending.isFailing) return this.#ending.next() ?? 'rest';
    return this.#host.draining && !this.#host.isWorking ? this.#exit.release() : 'rest';
  }

  /** The code is at rest: hand out the next outcome, or rest. */
  #turn(): NextStep {
    if (this.#replay.next?.kind === 'compensation_begun') {
      // What was undone since is to be at hand behind it.
      if (!this.#replay.isPrepared) return this.#replay.prepare();
      // Before it is taken: were history used up with it, calls that the code left open would begin.
      this.#ending.takeDecision(this.#replay.next);
      this.#replay.takeOf('compensation_begun');
      return 'again';
    }
    const end = this.#ending.next();
    if (end !== undefined) return end;
    const recorded = this.#replay.next;
    if (recorded !== undefined) return this.#repeat(recorded);
    // History is used up, and the code has come to rest behind its end.
    this.#host.isReplaying = false;
    return this.#delivery.next() ?? (this.#expireDue() ? 'again' : this.#settling.rest());
  }

  #repeat(recorded: HistoryEntry): NextStep {
    if (!this.#replay.take(recorded)) return this.#repeatLate(recorded);
    this.#pump.codeIsGiven();
    return 'again';
  }

  async #repeatLate(recorded: HistoryEntry): Promise<void> {
    await this.#replay.step(recorded, this.#pump);
    this.#pump.codeIsGiven();
  }

  /** Lets waits whose time has come propose their end, the earliest first. */
  #expireDue(): boolean {
    const due = this.#calls.dueBy(this.#services.storageTime.now());
    for (const call of due) call.expire();
    return due.length > 0;
  }

  async #readSignals(): Promise<void> {
    this.#isNewsUnread = false;
    this.#isAttentionHanded = false;
    const signals = await this.#services.reader.signals(this.instanceId);
    if (signals === undefined || this.#exit.end !== null) return;
    this.#host.mailbox.add(signals.mail);
    if (signals.cancel !== null) this.#cancellation.request(signals.cancel);
    if (signals.mail.length > 0) this.#takeMail();
    this.#pump.wakeUp();
  }

  /** While a park is on its way nobody takes any: calls do when it was refused. */
  #takeMail(): void {
    if (this.#replay.next !== undefined || !this.#mayGoLive) return;
    for (const call of this.#calls) call.onMail?.();
  }

  /** A park was refused: for what came, which is here already if it was handed and nothing was heard since. */
  async #readRefusal(): Promise<void> {
    // While the park was on its way no call could take it.
    if (this.#wasHanded) this.#takeMail();
    if (!this.#wasHanded || this.#isNewsUnread) await this.#attention.request();
  }

  #abandonAll(why: () => Error): void {
    this.#cancellation.abandonCalls(why);
    this.#delivery.abandon();
  }

  #ended(): void {
    this.#calls.clear();
    this.#pump.wakeUp();
  }

  #goLive(): void {
    if (this.#mayGoLive) this.#calls.allGoLive();
  }

  get #mayGoLive(): boolean {
    if (!this.#exit.isOpen) return false;
    return this.#saga.decision !== null || (this.#cancellation.requested === null && !this.#ending.isFailing);
  }
}
