// Wake-ups between the apps of one process, which a test can drop, delay, duplicate and hold back.
import type { Wakeup } from '../domain/wakeup.js';
import type { Clock } from '../ports/clock.js';
import { MemoryNotifier } from './memory-notifier.js';

/** One wake-up on its way to one other app. */
export interface MemoryNote {
  readonly wakeup: Wakeup;
  readonly from: MemoryNotifier;
  readonly to: MemoryNotifier;
}

/** What becomes of a note. `hold`: it waits for `release()`. A delay is in milliseconds by the given clock. */
export type NoteFate = 'deliver' | 'drop' | 'duplicate' | 'hold' | { readonly delayMs: number; readonly clock: Clock };

export interface MemoryNotifierHubOptions {
  /** The storages beside which its notifiers can stand. Default: `memory`, `sqlite` and `postgres`. */
  readonly storageKinds?: readonly string[];
  /**
   * `presences` of the memory database beside which its notifiers stand: each then leaves a sign there for as long as it is connected.
   * Default: they leave none.
   */
  readonly presences?: Set<string>;
  /** Whether senders hear their own wake-ups too, as some notifiers do. Default false. */
  readonly echoes?: boolean;
}

export interface MemoryNotifierHub {
  /** A further app's end. `reachable` (default true): false starts it as one whose server cannot be reached. */
  createNotifier(options?: { readonly reachable?: boolean }): MemoryNotifier;
  /** Decides on every note from now on; by default all are delivered. */
  route(fate: NoteFate | ((note: MemoryNote) => NoteFate)): void;
  /** Delivers what is held back, in the order in which it came. */
  release(): void;
  /** All that was sent while its sender was connected, oldest first. */
  readonly sent: readonly Wakeup[];
}

/** Carries each wake-up to all other started notifiers of the hub, never before the sender has gone on. */
export function createMemoryNotifierHub(options: MemoryNotifierHubOptions = {}): MemoryNotifierHub {
  const storageKinds = options.storageKinds ?? ['memory', 'sqlite', 'postgres'];
  const members = new Set<MemoryNotifier>();
  const sent: Wakeup[] = [];
  let held: MemoryNote[] = [];
  let decide: (note: MemoryNote) => NoteFate = () => 'deliver';

  const deliver = ({ to, wakeup }: MemoryNote): void => queueMicrotask(() => to.receive([wakeup]));
  const route = (note: MemoryNote): void => {
    const fate = decide(note);
    if (typeof fate === 'object') fate.clock.schedule(fate.delayMs, () => deliver(note));
    else if (fate === 'hold') held.push(note);
    else if (fate !== 'drop') for (let copies = fate === 'duplicate' ? 2 : 1; copies > 0; copies--) deliver(note);
  };

  const exchange = {
    storageKinds,
    presences: options.presences,
    join: (notifier: MemoryNotifier) => void members.add(notifier),
    leave: (notifier: MemoryNotifier) => void members.delete(notifier),
    carry: (from: MemoryNotifier, wakeups: readonly Wakeup[]) => {
      sent.push(...wakeups);
      for (const to of members)
        if (to !== from || options.echoes === true) for (const wakeup of wakeups) route({ wakeup, from, to });
    },
  };
  return {
    sent,
    createNotifier: ({ reachable = true } = {}) => new MemoryNotifier(exchange, { reachable }),
    route(fate) {
      decide = typeof fate === 'function' ? fate : () => fate;
    },
    release() {
      const notes = held;
      held = [];
      for (const note of notes) deliver(note);
    },
  };
}
