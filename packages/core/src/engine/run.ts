// One execution of one instance in this process: code and history in, progress and an end out.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { ClaimedRun } from '../ports/claim.js';
import type { Mail } from '../ports/run-signals.js';
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
import { RunIntake } from './run-intake.js';
import { RunPump } from './run-pump.js';
import { RunRecorder } from './run-recorder.js';
import { RunReplay } from './run-replay.js';
import type { RunServices } from './run-services.js';
import { RunSettling } from './run-settling.js';
import { RunTurns } from './run-turns.js';
import { Saga } from './saga.js';
import { startWorkflowCode } from './workflow-code.js';

/** Puts the parts of a run together; what comes when is decided by its turns. */
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
  readonly #turns: RunTurns;
  readonly #ending: RunEnding;
  readonly #saga = new Saga();
  readonly #intake: RunIntake;
  readonly #cancellation: RunCancellation;

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
      readingOver: () => this.#intake.readingOver(),
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
      step: (moved) => this.#turns.step(moved),
      stepInPause: () => this.#turns.stepInPause(),
    });
    const mailbox = new Mailbox({
      limit: services.mailLimit,
      load: (topic, after) => services.reader.mail(instanceId, topic, after),
    });
    mailbox.add(claimed.mail);
    const mayGoLive = (): boolean => this.#mayGoLive;
    this.#intake = new RunIntake({
      instanceId,
      services,
      calls: this.#calls,
      replay: this.#replay,
      exit: this.#exit,
      pump: this.#pump,
      cancellation: this.#cancellation,
      mailbox,
      mayGoLive,
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
      mayGoLive,
      isCodeOver: () => this.#saga.decision !== null,
      intake: this.#intake,
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
      intake: this.#intake,
    });
    const settling = new RunSettling({
      calls: this.#calls,
      exit: this.#exit,
      ending: this.#ending,
      pump: this.#pump,
      host: this.#host,
      storageTime: services.storageTime,
      intake: this.#intake,
      goLive: () => this.#goLive(),
    });
    this.#turns = new RunTurns({
      calls: this.#calls,
      replay: this.#replay,
      delivery: this.#delivery,
      exit: this.#exit,
      pump: this.#pump,
      host: this.#host,
      ending: this.#ending,
      settling,
      saga: this.#saga,
      cancellation: this.#cancellation,
      storageTime: services.storageTime,
    });
    if (claimed.cancel !== null) this.#cancellation.request(claimed.cancel);
  }

  /** Runs until the instance leaves this process's memory. Never rejects. Called once. */
  async execute(): Promise<RunEnd> {
    const end = await this.#pump.start(this.#begin());
    // A reading of this run clears the attention of the instance, whoever runs it by then, and nobody takes what it brings. So the next run of it here
    // begins when that is over, and reads for itself: else a park of it could be accepted beside mail that it never saw.
    if (this.#intake.isReading && end.type !== 'finished') await this.#intake.readingOver();
    return end;
  }

  /** See {@link RunIntake.hasNews}. */
  get hasNews(): boolean {
    return this.#intake.hasNews;
  }

  /** See {@link RunIntake.attend}. */
  attend(): Promise<void> {
    return this.#intake.attend(this.#host);
  }

  /** See {@link RunIntake.hand}. */
  handMail(mail: Mail): boolean {
    return this.#intake.hand(mail);
  }

  /** See {@link RunIntake.isAttentionHanded}. */
  get isAttentionHanded(): boolean {
    return this.#intake.isAttentionHanded;
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
        this.#turns.endAtOnce(scanned.openChildren);
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
