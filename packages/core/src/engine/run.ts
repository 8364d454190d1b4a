// One execution of one instance in this process: code and history in, progress and an end out.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { ClaimedRun } from '../ports/claim.js';
import type { Mail } from '../ports/run-signals.js';
import type { CarriedOver } from './carried-over.js';
import { scanHistory } from './history-scan.js';
import { RunParts } from './run-parts.js';
import type { RunServices } from './run-services.js';
import { startWorkflowCode } from './workflow-code.js';

/** What the process around it may ask of a run; what comes when is decided by its turns. */
export class Run {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Under which claim of the instance this is executed. */
  readonly claim: number;
  readonly #parts: RunParts;

  constructor(workflow: AnyWorkflow, claimed: ClaimedRun, services: RunServices) {
    this.instanceId = claimed.instanceId;
    this.workflowName = claimed.workflowName;
    this.claim = claimed.claim;
    this.#parts = new RunParts(workflow, claimed, services);
    if (claimed.cancel !== null) this.#parts.cancellation.request(claimed.cancel);
  }

  /** Runs until the instance leaves this process's memory, which its services are told of. Called once. */
  execute(): void {
    this.#parts.pump.start(this.#begin());
  }

  /** See {@link RunIntake.hasNews}. */
  get hasNews(): boolean {
    return this.#parts.intake.hasNews;
  }

  /** See {@link RunIntake.attend}. */
  attend(): Promise<void> {
    return this.#parts.intake.attend(this.#parts.host);
  }

  /** See {@link RunIntake.hand}. */
  handMail(mail: Mail): boolean {
    return this.#parts.intake.hand(mail);
  }

  /** See {@link RunIntake.isAttentionHanded}. */
  get isAttentionHanded(): boolean {
    return this.#parts.intake.isAttentionHanded;
  }

  /** Begin nothing new; hand the instance back as soon as what is under way has ended. */
  drain(): void {
    this.#parts.host.draining = true;
    this.#parts.pump.wakeUp();
  }

  /** Forget the instance now: nothing of it is recorded any more. */
  drop(reason: Error): void {
    if (this.#parts.exit.end !== null) return;
    this.#parts.cancellation.drop(reason);
    this.#parts.exit.drop(reason);
  }

  async #begin(): Promise<void> {
    const { claimed, services, replay, cancellation, turns, host } = this.#parts;
    if (!replay.isPrepared) await replay.prepare();
    if (cancellation.requested !== null) {
      const scanned = await scanHistory(claimed, services);
      if (!scanned.hasToUndo) {
        turns.endAtOnce(scanned.openChildren);
        return;
      }
    }
    const carried = replay.takeOf('carried_over');
    if (carried !== undefined) {
      const { subscriptions, children } = services.codec.decode(carried.data!) as CarriedOver;
      host.subscriptions.carry(subscriptions);
      for (const child of children) host.childStarted(child);
    }
    host.isReplaying = replay.next !== undefined;
    const { instanceId, workflowName, claim } = this;
    if (claim === 1) services.hooks.call('onWorkflowStart', { instanceId, workflowName });
    startWorkflowCode(this.#parts);
  }
}
