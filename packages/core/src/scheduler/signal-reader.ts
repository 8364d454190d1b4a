// The reads that runs make, repeated while the storage is unavailable; readings of signals share one statement.
import type { ChannelMode } from '../domain/channel.js';
import type { HistoryEntry } from '../domain/history.js';
import { hop } from '../engine/hop.js';
import type { RunReader } from '../engine/run-services.js';
import type { MessageStore } from '../ports/message-store.js';
import type { Mail, RunSignals } from '../ports/run-signals.js';
import type { RunStore } from '../ports/run-store.js';
import type { ChannelModes } from './channel-modes.js';
import type { StorageHealth } from './storage-health.js';

export interface SignalReaderParts {
  readonly workerId: string;
  readonly runs: RunStore;
  readonly messages: MessageStore;
  readonly modes: ChannelModes;
  readonly health: StorageHealth;
  readonly historyPage: number;
  readonly mailLimit: number;
  /** Aborts when this worker lost its lease or the process gives up. */
  readonly signal: AbortSignal;
}

/** What one turn of the event loop asks for goes out together. */
export class SignalReader implements RunReader {
  readonly #parts: SignalReaderParts;
  #waiting = new Map<string, ((signals: Promise<RunSignals | undefined>) => void)[]>();

  constructor(parts: SignalReaderParts) {
    this.#parts = parts;
  }

  history(instanceId: string, afterSeq: number): Promise<readonly HistoryEntry[]> {
    const { runs, health, historyPage, signal } = this.#parts;
    return health.keepTrying(() => runs.history({ instanceId, afterSeq, limit: historyPage }), signal);
  }

  mail(instanceId: string, topic: string, afterMailId: string | null): Promise<readonly Mail[]> {
    const { runs, health, mailLimit, signal } = this.#parts;
    return health.keepTrying(() => runs.mail({ instanceId, topic, afterMailId, limit: mailLimit }), signal);
  }

  members(group: string): Promise<readonly string[]> {
    const { messages, health, signal } = this.#parts;
    return health.keepTrying(() => messages.members(group), signal);
  }

  fixMode(topic: string, mode: ChannelMode): Promise<ChannelMode> {
    const { modes, health, signal } = this.#parts;
    return health.keepTrying(() => modes.fix(topic, mode), signal);
  }

  signals(instanceId: string): Promise<RunSignals | undefined> {
    return new Promise((resolve) => {
      if (this.#waiting.size === 0) void this.#readSoon();
      const others = this.#waiting.get(instanceId);
      if (others === undefined) this.#waiting.set(instanceId, [resolve]);
      else others.push(resolve);
    });
  }

  async #readSoon(): Promise<void> {
    await hop();
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const { runs, health, workerId, mailLimit, signal } = this.#parts;
    const answer = health
      .keepTrying(() => runs.readSignals({ workerId, instanceIds: [...waiting.keys()], mailLimit }), signal)
      .then((all) => new Map(all.map((signals) => [signals.instanceId, signals])));
    for (const [instanceId, resolves] of waiting) {
      const own = answer.then((all) => all.get(instanceId));
      for (const resolve of resolves) resolve(own);
    }
    await answer.catch(() => undefined);
  }
}
