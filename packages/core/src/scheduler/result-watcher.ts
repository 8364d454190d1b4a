// Waits for the ends of instances, here or in another process, with one query for all who wait.
import type { Wakeup } from '../domain/wakeup.js';
import type { Clock } from '../ports/clock.js';
import type { FinishedInstance, InstanceStore } from '../ports/instance-store.js';
import type { StorageHealth } from './storage-health.js';
import { Watch, type Waiter } from './watch.js';
import type { WakeupHub } from './wakeup-hub.js';

const firstDelayMs = 25;
const mostIds = 1000;

export interface ResultWatcherParts {
  readonly instances: InstanceStore;
  readonly health: StorageHealth;
  readonly clock: Clock;
  readonly hub: WakeupHub;
  /** The longest delay between two looks at this moment, in milliseconds. */
  readonly longestDelayMs: () => number;
  /** True while this process runs the instance: its end is then told by the hub, and asking the database is of no use. */
  readonly runsHere: (instanceId: string) => boolean;
}

/** Looks for a watched instance at once, then at growing intervals: 25 ms, doubling, up to `longestDelayMs`. Waits that were begun when that was longer are not kept. */
export class ResultWatcher {
  readonly #parts: ResultWatcherParts;
  readonly #watches = new Map<string, Watch>();
  readonly #abort = new AbortController();
  #looking: Promise<void> | null = null;
  #armedFor = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  constructor(parts: ResultWatcherParts) {
    this.#parts = parts;
    parts.hub.on('finished', this.#finished);
    parts.hub.on('left', this.#left);
    parts.hub.on('wakeups', this.#told);
  }

  /** Resolves with the end of the instance. Rejects with the reason of `signal` when that aborts first, or of `stop`. */
  wait(instanceId: string, signal?: AbortSignal): Promise<FinishedInstance> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true || this.#abort.signal.aborted) {
        reject((signal?.aborted === true ? signal : this.#abort.signal).reason as Error);
        return;
      }
      if (signal === undefined) {
        this.#watch(instanceId).add({ resolve, reject });
        return;
      }
      const aborted = (): void => {
        const watch = this.#watches.get(instanceId);
        if (watch !== undefined) {
          watch.delete(waiter);
          if (watch.isEmpty) this.#watches.delete(instanceId);
        }
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        resolve: (finished) => {
          signal.removeEventListener('abort', aborted);
          resolve(finished);
        },
        reject: (reason) => {
          signal.removeEventListener('abort', aborted);
          reject(reason);
        },
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#watch(instanceId).add(waiter);
    });
  }

  /** Looks for all that is waited for in other processes: news of it may have been lost. Resolves when it has. */
  async sweep(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    for (const watch of this.#watches.values()) if (watch.nextLookAt !== null) watch.nextLookAt = now;
    // A look under way may have begun before what was lost.
    await this.#looking;
    this.#armFor(now);
    await this.#looking;
  }

  /** The longest delay has become shorter. */
  hurry(): void {
    const longestDelayMs = this.#parts.longestDelayMs();
    const latest = this.#parts.clock.monotonic() + longestDelayMs;
    for (const watch of this.#watches.values()) {
      watch.delayMs = Math.min(watch.delayMs, longestDelayMs);
      if (watch.nextLookAt !== null && watch.nextLookAt > latest) watch.nextLookAt = latest;
    }
    if (this.#watches.size > 0) this.#armFor(latest);
  }

  /** Rejects everybody who waits. */
  async stop(reason: Error): Promise<void> {
    this.#parts.hub.off('finished', this.#finished);
    this.#parts.hub.off('left', this.#left);
    this.#parts.hub.off('wakeups', this.#told);
    this.#abort.abort(reason);
    this.#cancelTimer?.();
    for (const watch of this.#watches.values()) for (const waiter of watch.takeAll()) waiter.reject(reason);
    this.#watches.clear();
    await this.#looking;
  }

  readonly #finished = (finished: FinishedInstance): void => {
    const watch = this.#watches.get(finished.instanceId);
    if (watch === undefined) return;
    this.#watches.delete(finished.instanceId);
    for (const waiter of watch.takeAll()) waiter.resolve(finished);
  };

  /** An end elsewhere is told by a notifier, if there is one; what it was, only the database can tell. */
  readonly #told = (wakeups: readonly Wakeup[]): void => {
    if (this.#watches.size === 0) return;
    const now = this.#parts.clock.monotonic();
    for (const wakeup of wakeups) {
      if (wakeup.kind !== 'workflow_finished') continue;
      const watch = this.#watches.get(wakeup.instanceId);
      if (watch === undefined || watch.nextLookAt === null) continue;
      watch.nextLookAt = now;
      this.#armFor(now);
    }
  };

  /** The run left this process without an end: from now on only the database can tell. */
  readonly #left = (instanceId: string): void => {
    const watch = this.#watches.get(instanceId);
    if (watch === undefined) return;
    watch.delayMs = firstDelayMs;
    watch.nextLookAt = this.#parts.clock.monotonic() + firstDelayMs;
    this.#armFor(watch.nextLookAt);
  };

  #watch(instanceId: string): Watch {
    let watch = this.#watches.get(instanceId);
    if (watch === undefined) {
      const now = this.#parts.clock.monotonic();
      watch = new Watch({ nextLookAt: this.#parts.runsHere(instanceId) ? null : now, delayMs: firstDelayMs });
      this.#watches.set(instanceId, watch);
      if (watch.nextLookAt !== null) this.#armFor(now);
    }
    return watch;
  }

  #armFor(moment: number): void {
    if (this.#looking !== null || this.#abort.signal.aborted || moment >= this.#armedFor) return;
    this.#cancelTimer?.();
    this.#armedFor = moment;
    const delay = moment - this.#parts.clock.monotonic();
    if (delay > 0) this.#cancelTimer = this.#parts.clock.schedule(delay, () => this.#lookAndGoOn());
    else this.#lookAndGoOn();
  }

  #lookAndGoOn(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#looking = this.#look()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = null;
        let next = Number.POSITIVE_INFINITY;
        for (const { nextLookAt } of this.#watches.values()) if (nextLookAt !== null && nextLookAt < next) next = nextLookAt;
        this.#armFor(next);
      });
  }

  async #look(): Promise<void> {
    // One turn first: what is asked for together is looked for together.
    await Promise.resolve();
    const now = this.#parts.clock.monotonic();
    const ids: string[] = [];
    for (const [instanceId, watch] of this.#watches) {
      if (watch.nextLookAt === null || watch.nextLookAt > now || ids.length >= mostIds) continue;
      if (this.#parts.runsHere(instanceId)) {
        watch.nextLookAt = null;
        continue;
      }
      watch.nextLookAt = now + watch.delayMs;
      watch.delayMs = Math.min(watch.delayMs * 2, this.#parts.longestDelayMs());
      ids.push(instanceId);
    }
    if (ids.length === 0) return;
    const finished = await this.#parts.health.keepTrying(() => this.#parts.instances.finished(ids), this.#abort.signal);
    for (const instance of finished) this.#finished(instance);
  }
}
