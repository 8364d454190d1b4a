// Knows when, of many processes in one, nobody waits any more for his turn behind an announcement.
import type { Clock } from '@romancy/core';
import type { Notifier } from '@romancy/core/ports';

/** Milliseconds: no turn is waited for longer, and whatever else a process waits for that hardly polls takes longer. */
const longestTurn = 200;

export class TurnWatch {
  #waiting = 0;
  #heard = 0;

  /** Time as it is, for the processes that are watched. */
  readonly clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule: (delayMs, callback) => {
      const turns = delayMs <= longestTurn ? 1 : 0;
      let isOver = false;
      const over = (): void => {
        if (isOver) return;
        isOver = true;
        this.#waiting -= turns;
      };
      this.#waiting += turns;
      const dueAt = performance.now() + delayMs;
      // It may fire up to a millisecond before its time.
      const elapsed = (): void => {
        if (performance.now() < dueAt) timer = setTimeout(elapsed, 1);
        else {
          callback();
          // What the callback has to wait for is waited for by now.
          over();
        }
      };
      let timer = setTimeout(elapsed, Math.ceil(delayMs));
      return () => {
        clearTimeout(timer);
        over();
      };
    },
  };

  /** How many short waits there are. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How often the watched have heard that an instance can be claimed, all together, since `forget`. */
  get heard(): number {
    return this.#heard;
  }

  forget(): void {
    this.#heard = 0;
  }

  /** The notifier, watched. */
  watched(notifier: Notifier): Notifier {
    const start = notifier.start.bind(notifier);
    notifier.start = (host) =>
      start({
        ...host,
        onWakeups: (wakeups) => {
          host.onWakeups(wakeups);
          this.#heard += wakeups.filter(({ kind }) => kind === 'workflow_resumable').length;
        },
      });
    return notifier;
  }
}
