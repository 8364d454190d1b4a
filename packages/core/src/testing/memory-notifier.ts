// A notifier in memory: one app's end of a hub.
import type { Wakeup } from '../domain/wakeup.js';
import type { Notifier, NotifierHost, NotifierState, NotifierStatus } from '../ports/notifier.js';

/** What a notifier needs of its hub. */
export interface MemoryNotifierExchange {
  readonly storageKinds: readonly string[];
  /** Where signs of life stand; undefined: there are none. */
  readonly presences: Set<string> | undefined;
  join(notifier: MemoryNotifier): void;
  leave(notifier: MemoryNotifier): void;
  carry(from: MemoryNotifier, wakeups: readonly Wakeup[]): void;
}

let lastSign = 0;

/** Connects at once unless it was told to stay away; afterwards its state is in the hands of the test. */
export class MemoryNotifier implements Notifier {
  readonly storageKinds: readonly string[];
  readonly #exchange: MemoryNotifierExchange;
  #state: NotifierState = 'stopped';
  #host: NotifierHost | undefined;
  #reachable: boolean;
  /** Goes up with every change of connection, so that a sweep that comes to its end late makes nothing healthy. */
  #generation = 0;
  #since = 0;
  #sent = 0;
  #received = 0;
  #reconnects = 0;
  #presence: string | null = null;

  constructor(exchange: MemoryNotifierExchange, options: { readonly reachable: boolean }) {
    this.#exchange = exchange;
    this.#reachable = options.reachable;
    this.storageKinds = exchange.storageKinds;
  }

  get state(): NotifierState {
    return this.#state;
  }

  async start(host: NotifierHost): Promise<void> {
    await Promise.resolve();
    this.#host = host;
    this.#exchange.join(this);
    this.setState('connecting', 'started');
    // Not waited for: start resolves as soon as it tries.
    if (this.#reachable) void this.#connect();
  }

  get presence(): string | null {
    return this.#presence;
  }

  send(wakeups: readonly Wakeup[]): void {
    if (!this.#hears()) return;
    this.#sent += wakeups.length;
    this.#exchange.carry(this, wakeups);
  }

  status(): NotifierStatus {
    return {
      state: this.#state,
      since: this.#since,
      proofAgeMs: null,
      serverVersion: null,
      queueUsage: null,
      sent: this.#sent,
      coalesced: 0,
      dropped: 0,
      received: this.#received,
      ignored: 0,
      reconnects: this.#reconnects,
    };
  }

  async stop(): Promise<void> {
    await Promise.resolve();
    this.#generation++;
    this.#host = undefined;
    this.#loseSign();
    this.#state = 'stopped';
    this.#exchange.leave(this);
  }

  /** Cuts the connection: what is sent from here or to here is lost from now on. */
  disconnect(reason = 'the connection was cut'): void {
    this.#reachable = false;
    this.#generation++;
    if (this.#host === undefined) return;
    if (this.#loseSign()) this.#host.onPresence(null);
    this.setState('connecting', reason);
  }

  /** Lets it connect (again): it catches up by one sweep of its host, and is healthy after that. Resolves when it is. */
  async reconnect(): Promise<void> {
    this.#reachable = true;
    this.#reconnects++;
    if (this.#host !== undefined) await this.#connect();
  }

  /** Changes the state and tells the host, as a notifier does that has found something out. The same state again does nothing. */
  setState(state: NotifierState, reason: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#host?.clock.now() ?? this.#since;
    this.#host?.onStateChange(state, reason);
  }

  /** Tells the host to look at everything, as after a note that was too large. */
  async sweep(): Promise<void> {
    await this.#host?.onSweep();
  }

  /** Takes what others sent; for the hub. */
  receive(wakeups: readonly Wakeup[]): void {
    if (!this.#hears()) return;
    this.#received += wakeups.length;
    this.#host?.onWakeups(wakeups);
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const current = (): boolean => generation === this.#generation;
    await Promise.resolve();
    if (!current()) return;
    this.#takeSign();
    this.setState('catching_up', 'connected');
    await this.#host?.onSweep();
    if (current()) this.setState('healthy', 'caught up');
  }

  #takeSign(): void {
    const { presences } = this.#exchange;
    if (presences === undefined || this.#presence !== null) return;
    this.#presence = `memory:${++lastSign}`;
    presences.add(this.#presence);
    this.#host?.onPresence(this.#presence);
  }

  #loseSign(): boolean {
    if (this.#presence === null) return false;
    this.#exchange.presences?.delete(this.#presence);
    this.#presence = null;
    return true;
  }

  #hears(): boolean {
    return this.#state === 'catching_up' || this.#state === 'healthy' || this.#state === 'lossy';
  }
}
