// Decides when a run leaves its process: put away while all waits, handed back, or ended by its code or by a cancellation.
import type { OpenCalls } from './open-calls.js';
import type { DurableCall } from './operations/durable-call.js';
import type { RunExit, RunOutcome } from './run-exit.js';
import type { RunHost } from './run-host.js';
import type { RunPump } from './run-pump.js';
import type { RunReplay } from './run-replay.js';
import type { StorageTime } from './run-services.js';

const cancelled: RunOutcome = { status: 'cancelled', output: null, error: null };

export interface RunSettlingParts {
  readonly calls: OpenCalls;
  readonly replay: RunReplay;
  readonly exit: RunExit;
  readonly pump: RunPump;
  readonly host: RunHost;
  readonly storageTime: StorageTime;
  /** The cancellation that was asked for, as far as it is known here. */
  readonly cancel: () => { readonly reason: string | null } | null;
  /** Reads what happened from outside. */
  readonly readSignals: () => Promise<void>;
  /** A park was refused: what the code did meanwhile begins. */
  readonly goLive: () => void;
}

export class RunSettling {
  readonly #parts: RunSettlingParts;
  /** The code came to its end while the run was being put away. */
  #lateEnd: RunOutcome | null = null;

  constructor(parts: RunSettlingParts) {
    this.#parts = parts;
  }

  /** Nothing to hand out: puts the run away, hands it back, or lets it wait for what is under way. */
  rest(): 'rest' | Promise<void> {
    const { calls, exit, pump, host, storageTime } = this.#parts;
    const next = calls.firstDue;
    if (!host.isWorking) {
      if (calls.allWait) return this.#park(next);
      if (host.draining) return exit.release();
    }
    if (next !== null) pump.wakeUpIn(Math.max(1, next.dueAt - storageTime.now()));
    return 'rest';
  }

  /** The workflow's function returned or threw. */
  codeEnded(outcome: RunOutcome): void {
    const { exit, replay, cancel } = this.#parts;
    if (exit.isClosed || cancel() !== null) return;
    if (exit.isParking) {
      // It awaited something of its own, and came to its end meanwhile: whether that counts is decided by the park.
      this.#lateEnd = outcome;
      return;
    }
    const mismatch = replay.checkEnd(outcome.status);
    if (mismatch !== null) void exit.stall(mismatch);
    else this.#finish(outcome).catch((error: unknown) => exit.breakOff(error as Error));
  }

  /** Ends the instance as its cancellation asks. */
  endAsCancelled(): Promise<void> {
    return this.#finish(cancelled);
  }

  async #park(next: { readonly call: DurableCall; readonly dueAt: number } | null): Promise<void> {
    const { calls, exit, readSignals, goLive } = this.#parts;
    const isAway = await exit.park({
      status: calls.first!.waiting!.status,
      next: next === null ? null : { timerId: next.call.id, dueAt: next.dueAt },
    });
    if (isAway || exit.end !== null) return;
    await readSignals();
    goLive();
    if (this.#lateEnd !== null) this.codeEnded(this.#lateEnd);
  }

  async #finish(outcome: RunOutcome): Promise<void> {
    const { exit, cancel, readSignals } = this.#parts;
    if (await exit.finish(outcome, cancel()?.reason ?? null)) return;
    await readSignals();
    const asked = cancel();
    if (asked === null) throw new Error('the end of the instance was refused, but no cancellation was asked for');
    await exit.finish(cancelled, asked.reason);
  }
}
