// A notifier around another one, whose notes are lost, late, doubled or out of order as a test wants them.
import type { Clock, Notifier, NotifierHost, Wakeup } from '../ports/index.js';

/**
 * What becomes of what is heard: nothing, as it comes, each twice, or all of it later: held back for so many milliseconds and then handed
 * over one by one, the last one first.
 */
export type Disturbance = 'drop' | 'deliver' | 'duplicate' | { readonly delayMs: number };

export interface DisturbedNotifier extends Notifier {
  /** Holds from now on. */
  disturb(disturbance: Disturbance): void;
  /** How many wake-ups came in, whatever became of them. */
  readonly heard: number;
}

export function disturbed(within: Notifier, disturbance: Disturbance = 'deliver'): DisturbedNotifier {
  let current = disturbance;
  let heard = 0;
  let late: Wakeup[] = [];
  const handOver = (host: NotifierHost, clock: Clock, wakeups: readonly Wakeup[]): void => {
    heard += wakeups.length;
    if (current === 'drop') return;
    if (current === 'deliver') host.onWakeups(wakeups);
    else if (current === 'duplicate') host.onWakeups(wakeups.flatMap((wakeup) => [wakeup, wakeup]));
    else {
      if (late.length === 0) {
        clock.schedule(current.delayMs, () => {
          const held = late.reverse();
          late = [];
          for (const wakeup of held) host.onWakeups([wakeup]);
        });
      }
      late.push(...wakeups);
    }
  };
  return {
    storageKinds: within.storageKinds,
    get state() {
      return within.state;
    },
    get presence() {
      return within.presence;
    },
    get heard() {
      return heard;
    },
    disturb(next) {
      current = next;
    },
    start: (host) =>
      within.start({
        clock: host.clock,
        entropy: host.entropy,
        logger: host.logger,
        fallbackIntervalMs: host.fallbackIntervalMs,
        onWakeups: (wakeups) => handOver(host, host.clock, wakeups),
        onSweep: () => host.onSweep(),
        onStateChange: (state, reason) => host.onStateChange(state, reason),
        onPresence: (presence) => host.onPresence(presence),
      }),
    send: (wakeups) => within.send(wakeups),
    status: () => within.status(),
    stop: () => within.stop(),
  };
}
