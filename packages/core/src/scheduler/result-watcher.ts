// Waits for the ends of instances, here or in another process, with one query for all who wait.
import type { Clock } from '../ports/clock.js';
import type { FinishedInstance, InstanceStore } from '../ports/instance-store.js';
import type { StorageHealth } from './storage-health.js';
import type { WakeupHub } from './wakeup-hub.js';

const firstDelayMs = 25;
const mostIds = 1000;

export interface ResultWatcherParts {
  readonly instances: InstanceStore;
  readonly health: StorageHealth;
  readonly clock: Clock;
  readonly hub: WakeupHub;
  /** The longest delay between two looks, in milliseconds. */
  readonly longestDelayMs: number;
  /** True while this process runs the instance: its end is then told by the hub, and asking the database is of no use. */
  readonly runsHere: (instanceId: string) => boolean;
}

interface Watch {
  readonly instanceId: string;
  readonly resolve: (finished: FinishedInstance) => void;
  nextLookAt: number;
  delayMs: number;
}

/** Looks for a watched instance at once, then at growing intervals: 25 ms, doubling, up to `longestDelayMs`. */
export class ResultWatcher {
  readonly #parts: ResultWatcherParts;
  readonly #watches = new Map<string, Set<Watch>>();
  readonly #abort = new AbortController();
  #looking: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(parts: ResultWatcherParts) {
    this.#parts = parts;
    parts.hub.on('finished', this.#finished);
  }

  /** Resolves with the end of the instance; never, when `signal` aborts first: then rejects with its reason. */
  wait(instanceId: string, signal: AbortSignal): Promise<FinishedInstance> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener('abort', aborted);
        this.#abort.signal.removeEventListener('abort', aborted);
        const watches = this.#watches.get(instanceId);
        watches?.delete(watch);
        if (watches?.size === 0) this.#watches.delete(instanceId);
      };
      const aborted = (): void => {
        end();
        reject((signal.aborted ? signal.reason : this.#abort.signal.reason) as Error);
      };
      const watch: Watch = {
        instanceId,
        nextLookAt: this.#parts.clock.monotonic(),
        delayMs: firstDelayMs,
        resolve: (finished) => {
          end();
          resolve(finished);
        },
      };
      const watches = this.#watches.get(instanceId);
      if (watches === undefined) this.#watches.set(instanceId, new Set([watch]));
      else watches.add(watch);
      signal.addEventListener('abort', aborted, { once: true });
      this.#abort.signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted || this.#abort.signal.aborted) aborted();
      else this.#arm();
    });
  }

  /** News from elsewhere: look at all now. */
  lookNow(): void {
    const now = this.#parts.clock.monotonic();
    for (const watches of this.#watches.values()) for (const watch of watches) watch.nextLookAt = now;
    this.#arm();
  }

  /** Rejects everybody who waits. */
  async stop(reason: Error): Promise<void> {
    this.#parts.hub.off('finished', this.#finished);
    this.#abort.abort(reason);
    this.#cancelTimer?.();
    await this.#looking;
  }

  readonly #finished = (finished: FinishedInstance): void => {
    for (const watch of [...(this.#watches.get(finished.instanceId) ?? [])]) watch.resolve(finished);
  };

  #arm(): void {
    if (this.#looking !== null || this.#abort.signal.aborted) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    let next = Number.POSITIVE_INFINITY;
    for (const watches of this.#watches.values()) for (const watch of watches) next = Math.min(next, watch.nextLookAt);
    if (next === Number.POSITIVE_INFINITY) return;
    const delay = next - this.#parts.clock.monotonic();
    if (delay > 0) this.#cancelTimer = this.#parts.clock.schedule(delay, () => this.#lookThenArm());
    else this.#lookThenArm();
  }

  #lookThenArm(): void {
    this.#looking = this.#look()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = null;
        this.#arm();
      });
  }

  async #look(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    const ids: string[] = [];
    for (const [instanceId, watches] of this.#watches) {
      let isDue = false;
      for (const watch of watches) {
        if (watch.nextLookAt > now) continue;
        watch.nextLookAt = now + watch.delayMs;
        watch.delayMs = Math.min(watch.delayMs * 2, this.#parts.longestDelayMs);
        isDue = true;
      }
      if (isDue && ids.length < mostIds && !this.#parts.runsHere(instanceId)) ids.push(instanceId);
    }
    if (ids.length === 0) return;
    const finished = await this.#parts.health.keepTrying(() => this.#parts.instances.finished(ids), this.#abort.signal);
    for (const instance of finished) this.#finished(instance);
  }
}
