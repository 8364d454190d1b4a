// Decides what comes next in a run: an outcome from history, a live one, its end, or rest.
import type { HistoryEntry } from '../domain/history.js';
import type { StartedChild } from './context-host.js';
import type { OpenCalls } from './open-calls.js';
import type { OutcomeDelivery } from './outcome-delivery.js';
import type { RunCancellation } from './run-cancellation.js';
import type { RunEnding } from './run-ending.js';
import type { RunExit } from './run-exit.js';
import type { RunHost } from './run-host.js';
import type { NextStep, RunPump } from './run-pump.js';
import type { RunReplay } from './run-replay.js';
import type { StorageTime } from './run-services.js';
import type { RunSettling } from './run-settling.js';
import type { Saga } from './saga.js';

export interface RunTurnsParts {
  readonly calls: OpenCalls;
  readonly replay: RunReplay;
  readonly delivery: OutcomeDelivery;
  readonly exit: RunExit;
  readonly pump: RunPump;
  readonly host: RunHost;
  readonly ending: RunEnding;
  readonly settling: RunSettling;
  readonly saga: Saga;
  readonly cancellation: RunCancellation;
  readonly storageTime: StorageTime;
}

/**
 * Hands one outcome to the code, lets the code come to rest (one hop), then the next; recorded outcomes first, in their recorded
 * order, then live ones, each recorded in the moment it is handed out. So the order in history is the order in which the code came
 * to know things, and a replay takes the same turns. With nothing to hand out and only waits open, the run is put away.
 */
export class RunTurns {
  readonly #parts: RunTurnsParts;
  /** Cancelled before its code began, with nothing to undo: the children to cancel with it. */
  #endsAtOnce: readonly StartedChild[] | null = null;

  constructor(parts: RunTurnsParts) {
    this.#parts = parts;
  }

  /** The run was cancelled before its code began, and there is nothing to undo. @param children are cancelled with it. */
  endAtOnce(children: readonly StartedChild[]): void {
    this.#endsAtOnce = children;
  }

  /** One step of the pump, which says what `moved` means. Throws what breaks the run off. */
  step(moved: boolean): NextStep {
    if (this.#endsAtOnce !== null) return this.#parts.ending.endAsCancelled(this.#endsAtOnce);
    return moved ? 'hop' : this.#turn();
  }

  /**
   * Between two calls of code that might go on for ever: it can be cancelled and handed back there, as a crash there would leave it, and it is over
   * if it has failed. Not while an outcome waits to be handed out, which is for code at rest alone: it would come at another place in a replay.
   */
  stepInPause(): NextStep {
    const { replay, delivery, cancellation, ending, host, exit, saga } = this.#parts;
    // The code is over: there is no order to keep any more, and a pause of it may never end.
    if (saga.decision !== null) return this.#turn();
    if (replay.next !== undefined || !delivery.isEmpty) return 'rest';
    if (cancellation.requested !== null || ending.isFailing) return ending.next() ?? 'rest';
    return host.draining && !host.isWorking ? exit.release() : 'rest';
  }

  /** The code is at rest: hand out the next outcome, or rest. */
  #turn(): NextStep {
    const { replay, delivery, ending, host, settling } = this.#parts;
    if (replay.next?.kind === 'compensation_begun') {
      // What was undone since is to be at hand behind it.
      if (!replay.isPrepared) return replay.prepare();
      // Before it is taken: were history used up with it, calls that the code left open would begin.
      ending.takeDecision(replay.next);
      replay.takeOf('compensation_begun');
      return 'again';
    }
    const end = ending.next();
    if (end !== undefined) return end;
    const recorded = replay.next;
    if (recorded !== undefined) return this.#repeat(recorded);
    // History is used up, and the code has come to rest behind its end.
    host.isReplaying = false;
    return delivery.next() ?? (this.#expireDue() ? 'again' : settling.rest());
  }

  #repeat(recorded: HistoryEntry): NextStep {
    const { replay, pump } = this.#parts;
    if (!replay.take(recorded)) return this.#repeatLate(recorded);
    pump.codeIsGiven();
    return 'again';
  }

  async #repeatLate(recorded: HistoryEntry): Promise<void> {
    const { replay, pump } = this.#parts;
    await replay.step(recorded, pump);
    pump.codeIsGiven();
  }

  /** Lets waits whose time has come propose their end, the earliest first. */
  #expireDue(): boolean {
    const { calls, storageTime } = this.#parts;
    const due = calls.dueBy(storageTime.now());
    for (const call of due) call.expire();
    return due.length > 0;
  }
}
