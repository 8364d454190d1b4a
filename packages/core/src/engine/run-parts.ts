// All parts of one run, put together in one object, of which each part sees no more than its own interface names.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { HistoryEntry } from '../domain/history.js';
import type { ClaimedRun } from '../ports/claim.js';
import type { Clock } from '../ports/clock.js';
import type { Mail } from '../ports/run-signals.js';
import { CallIds } from './call-ids.js';
import { HistoryCursor, type HistorySource } from './history-cursor.js';
import { Mailbox, type MailSource } from './mailbox.js';
import { OpenCalls } from './open-calls.js';
import { OutcomeDelivery, type OutcomeDeliveryParts } from './outcome-delivery.js';
import type { ProgressSink } from './progress.js';
import { RunCancellation, type RunCancellationParts } from './run-cancellation.js';
import type { RunEnd } from './run-end.js';
import { RunEnding, type RunEndingParts } from './run-ending.js';
import { RunExit, type RunExitParts } from './run-exit.js';
import { RunHost, type RunHostParts } from './run-host.js';
import { RunIntake, type RunIntakeParts } from './run-intake.js';
import type { RunOutcome } from './run-outcome.js';
import { RunPump, type RunPumpParts } from './run-pump.js';
import { RunRecorder } from './run-recorder.js';
import { RunReplay, type RunReplayParts } from './run-replay.js';
import type { RunServices, StorageTime } from './run-services.js';
import { RunSettling, type RunSettlingParts } from './run-settling.js';
import { RunTurns, type RunTurnsParts } from './run-turns.js';
import { Saga } from './saga.js';
import type { WorkflowCodeParts } from './workflow-code.js';

type EveryPartsInterface = RunExitParts &
  RunReplayParts &
  RunCancellationParts &
  RunPumpParts &
  RunIntakeParts &
  OutcomeDeliveryParts &
  RunHostParts &
  RunEndingParts &
  RunSettlingParts &
  RunTurnsParts &
  WorkflowCodeParts;

/**
 * One object for all, and its methods where a part has something to tell another that does not know it: hundreds of runs are in memory at
 * once and thousands are made in a second, and a list of its own for each part, with functions bound to the run, would be a third of what
 * each of them takes.
 */
export class RunParts implements EveryPartsInterface, HistorySource, MailSource {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly workflow: AnyWorkflow;
  readonly claimed: ClaimedRun;
  readonly services: RunServices;
  readonly calls = new OpenCalls();
  readonly saga = new Saga();
  readonly ids: CallIds;
  readonly recorder: RunRecorder;
  readonly exit: RunExit;
  readonly cursor: HistoryCursor;
  readonly replay: RunReplay;
  readonly cancellation: RunCancellation;
  readonly pump: RunPump;
  readonly intake: RunIntake;
  readonly delivery: OutcomeDelivery;
  readonly host: RunHost;
  readonly ending: RunEnding;
  readonly settling: RunSettling;
  readonly turns: RunTurns;
  /** Null: nobody has looked into it. */
  #mailbox: Mailbox | null = null;

  constructor(workflow: AnyWorkflow, claimed: ClaimedRun, services: RunServices) {
    const { instanceId, workflowName } = claimed;
    this.instanceId = instanceId;
    this.workflowName = workflowName;
    this.workflow = workflow;
    this.claimed = claimed;
    this.services = services;
    this.ids = new CallIds(instanceId);
    this.recorder = new RunRecorder(instanceId, services);
    this.exit = new RunExit(this);
    this.cursor = new HistoryCursor(claimed, this);
    this.replay = new RunReplay(this);
    this.cancellation = new RunCancellation(this);
    this.pump = new RunPump(this);
    this.intake = new RunIntake(this);
    this.delivery = new OutcomeDelivery(this);
    this.host = new RunHost(this);
    this.ending = new RunEnding(this);
    this.settling = new RunSettling(this);
    this.turns = new RunTurns(this);
  }

  get claim(): number {
    return this.claimed.claim;
  }

  get parentId(): string | null {
    return this.claimed.parentId;
  }

  get generation(): number {
    return this.claimed.generation;
  }

  get createdAt(): number {
    return this.claimed.createdAt;
  }

  get input(): string {
    return this.claimed.input;
  }

  get isInputChecked(): boolean {
    return this.claimed.isInputChecked;
  }

  get mailbox(): Mailbox {
    if (this.#mailbox === null) {
      this.#mailbox = new Mailbox(this);
      this.#mailbox.add(this.claimed.mail);
    }
    return this.#mailbox;
  }

  get clock(): Clock {
    return this.services.clock;
  }

  get storageTime(): StorageTime {
    return this.services.storageTime;
  }

  get progress(): ProgressSink {
    return this.services.progress;
  }

  get mayGoLive(): boolean {
    if (!this.exit.isOpen) return false;
    return this.isCodeOver || (this.cancellation.requested === null && !this.ending.isFailing);
  }

  get isCodeOver(): boolean {
    return this.saga.decision !== null;
  }

  goLive(): void {
    if (this.mayGoLive) this.calls.allGoLive();
  }

  loadHistory(afterSeq: number): Promise<readonly HistoryEntry[]> {
    return this.services.reader.history(this.instanceId, afterSeq);
  }

  get mailLimit(): number {
    return this.services.mailLimit;
  }

  loadMail(topic: string, afterMailId: string | null): Promise<readonly Mail[]> {
    return this.services.reader.mail(this.instanceId, topic, afterMailId);
  }

  onHistoryLoaded(lastSeq: number): void {
    this.recorder.continueAfter(lastSeq);
  }

  onHistoryUsedUp(): void {
    this.goLive();
  }

  onCodeEnd(outcome: RunOutcome): void {
    this.ending.codeEnded(outcome);
  }

  onRecur(input: string): void {
    this.ending.recur(input);
  }

  onClose(why: () => Error): void {
    this.cancellation.abandonCalls(why);
    this.delivery.abandon();
  }

  get isReading(): boolean {
    return this.intake.isReading;
  }

  readingOver(): Promise<void> {
    return this.intake.readingOver();
  }

  commitOver(): Promise<void> {
    return this.delivery.commitOver();
  }

  onLeft(end: RunEnd): void {
    this.services.onRunEnd(this.instanceId, end);
  }

  onEnd(): void {
    this.calls.clear();
    this.pump.wakeUp();
  }
}
