// Decides what a run does that has nothing to hand out: it is put away, handed back, or waits.
import type { OpenCalls } from './open-calls.js';
import type { DurableCall } from './operations/durable-call.js';
import type { RunEnding } from './run-ending.js';
import type { RunExit } from './run-exit.js';
import type { RunHost } from './run-host.js';
import type { RunIntake } from './run-intake.js';
import type { RunPump } from './run-pump.js';
import type { StorageTime } from './run-services.js';

export interface RunSettlingParts {
  readonly calls: OpenCalls;
  readonly exit: RunExit;
  readonly ending: RunEnding;
  readonly pump: RunPump;
  readonly host: RunHost;
  readonly storageTime: StorageTime;
  readonly intake: RunIntake;
  /** A park was refused: what the code did meanwhile begins. */
  goLive(): void;
}

export class RunSettling {
  readonly #parts: RunSettlingParts;

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

  async #park(next: { readonly call: DurableCall; readonly dueAt: number } | null): Promise<void> {
    const { calls, exit, ending, intake } = this.#parts;
    intake.parkBegins();
    const isAway = await exit.park({
      status: calls.first!.waiting!.status,
      next: next === null ? null : { timerId: next.call.id, dueAt: next.dueAt },
    });
    if (isAway || exit.end !== null) return;
    await intake.readRefusal();
    // First: where the code has come to its end, nothing of it begins any more.
    ending.parkRefused();
    this.#parts.goLive();
  }
}
