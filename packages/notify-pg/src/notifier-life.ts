// One life of a notifier, from start to stop: two sessions, and what follows when one of them comes, proves itself, falls silent or goes.
import type { NotifierHost, NotifierState, NotifierStatus, Wakeup } from '@romancy/core/ports';
import { Listener } from './listener.js';
import { openSession, type OpenSession } from './open-session.js';
import type { SessionRole } from './pg-client.js';
import type { ResolvedOptions } from './pg-notifier-options.js';
import { Pinger, type Silence } from './pinger.js';
import { Presence } from './presence.js';
import { QueueWatch } from './queue-watch.js';
import { Sender } from './sender.js';
import { applySettings } from './session-settings.js';
import { SessionKeeper } from './session-keeper.js';
import { StateReporter } from './state-reporter.js';
import { Sweeper } from './sweeper.js';

/** How long a stop may take to send what is gathered, and after that to close both sessions: far below two seconds together. */
const flushMs = 250;
const closeMs = 500;

/** A listening session, and what belongs to it alone. */
interface Hearing {
  readonly open: OpenSession;
  readonly pinger: Pinger;
  /** An own nonce was heard on it, at least once. */
  wasProven: boolean;
  /** What may be done on a session that is proven is being done. */
  isSettling: boolean;
}

export class NotifierLife {
  readonly #options: ResolvedOptions;
  readonly #host: NotifierHost;
  readonly #reporter: StateReporter;
  readonly #watch: QueueWatch;
  readonly #sender: Sender;
  readonly #listener: Listener;
  readonly #presenceLock: Presence;
  readonly #listening: SessionKeeper;
  readonly #sending: SessionKeeper;
  readonly #sweeper: Sweeper;
  #hearing: Hearing | null = null;
  #sendingOpen: OpenSession | null = null;
  #presence: string | null = null;
  #provenAt: number | null = null;
  #serverVersion: string | null = null;
  /** How often a sweep was begun that leads to health. */
  #catchUps = 0;
  #stopping: Promise<void> | null = null;

  constructor(options: ResolvedOptions, host: NotifierHost) {
    this.#options = options;
    this.#host = host;
    const { clock, entropy, logger, fallbackIntervalMs } = host;
    const { reconnectDelayMs, channels, channelPrefix, coalesceWindowMs } = options;
    this.#reporter = new StateReporter({
      clock,
      logger,
      reconnectDelayMs,
      fallbackIntervalMs,
      onChange: (state, reason) => host.onStateChange(state, reason),
    });
    this.#watch = new QueueWatch({
      clock,
      logger,
      pingIntervalMs: options.pingIntervalMs,
      onPause: () => this.#onPause(),
      onResume: () => this.#onResume(),
    });
    this.#sender = new Sender({ clock, windowMs: coalesceWindowMs, channels, watch: this.#watch });
    this.#sweeper = new Sweeper(async () => {
      if (this.#isAlive) await host.onSweep();
    });
    this.#presenceLock = new Presence(channelPrefix, entropy);
    this.#listener = new Listener({
      channels,
      ownProcessId: () => this.#sender.ownProcessId,
      onNote: (nonce) => this.#onNote(nonce),
      onQueueFull: () => this.#watch.suspect(),
      onWakeups: (wakeups) => {
        if (this.#isAlive) host.onWakeups(wakeups);
      },
      onEverything: () => void this.#sweeper.request(),
    });
    const keeping = { clock, entropy, reconnectDelayMs };
    this.#listening = new SessionKeeper({
      ...keeping,
      open: async (signal) => await this.#openListening(signal),
      onOpen: (open) => this.#onListening(open),
      onLost: (error) => this.#onDeaf(error),
      onFailed: (error) => this.#reporter.connectFailed(error),
    });
    this.#sending = new SessionKeeper({
      ...keeping,
      open: async (signal) => await this.#openSession('sending', signal),
      onOpen: (open) => this.#onSending(open),
      onLost: (error) => {
        this.#sendingOpen = null;
        this.#sender.detach();
        logger.debug('the session that sends notes was lost, reconnecting', { error: error.message });
      },
      onFailed: (error) => {
        if (this.state !== 'undeliverable') this.#reporter.connectFailed(error);
      },
    });
  }

  get state(): NotifierState {
    return this.#reporter.state;
  }

  get presence(): string | null {
    return this.#presence;
  }

  start(): void {
    this.#reporter.started();
    this.#listening.start();
    this.#sending.start();
  }

  send(wakeups: readonly Wakeup[]): void {
    if (this.#stopping === null) this.#sender.send(wakeups);
  }

  status(): NotifierStatus {
    return {
      state: this.#reporter.state,
      since: this.#reporter.since,
      proofAgeMs: this.#provenAt === null ? null : this.#host.clock.monotonic() - this.#provenAt,
      serverVersion: this.#serverVersion,
      queueUsage: this.#watch.usage,
      ...this.#sender.counters,
      ...this.#listener.counters,
      reconnects: this.#listening.reopened + this.#sending.reopened,
    };
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    // The host first: from here on nothing reaches it, whatever is still under way.
    this.#reporter.stopped();
    this.#presence = null;
    const listening = this.#listening.stop();
    this.#hearing?.pinger.stop();
    this.#hearing = null;
    // Both keepers try no more, so what is open now is all that there is to close.
    const sending = this.#sending.stop();
    const closeListening = listening?.session.close(closeMs);
    await this.#sender.stop(flushMs);
    this.#sender.detach();
    await Promise.all([closeListening, sending?.session.close(closeMs)]);
  }

  get #isAlive(): boolean {
    return this.#stopping === null && this.state !== 'stopped';
  }

  async #openSession(role: SessionRole, signal: AbortSignal): Promise<OpenSession> {
    const open = await openSession({ role, options: this.#options, clock: this.#host.clock }, signal);
    this.#serverVersion = open.serverVersion;
    return open;
  }

  async #openListening(signal: AbortSignal): Promise<OpenSession> {
    const open = await this.#openSession('listening', signal);
    const onAbort = (): void => open.session.destroy(new Error('nobody waits for it any more'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      // Its signal may have come between the two.
      signal.throwIfAborted();
      await this.#listener.listen(open);
    } catch (error) {
      open.session.destroy(error as Error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return open;
  }

  #onListening(open: OpenSession): void {
    const { clock, entropy } = this.#host;
    const hearing: Hearing = {
      open,
      wasProven: false,
      isSettling: false,
      pinger: new Pinger({
        clock,
        entropy,
        intervalMs: this.#options.pingIntervalMs,
        timeoutMs: this.#options.pingTimeoutMs,
        send: (nonce) => {
          // Refused once, the lock is asked for again.
          if (hearing.wasProven) void this.#settle(hearing);
          return this.#sender.ping(nonce);
        },
        answeredAt: () => this.#sender.answeredAt,
        onProven: () => void this.#onProven(hearing),
        onSilence: (silence) => this.#onSilence(hearing, silence),
      }),
    };
    this.#hearing = hearing;
    hearing.pinger.start();
  }

  #onSending(open: OpenSession): void {
    open.session.onNotice((notice) => this.#watch.onNotice(notice));
    // It has answered: all that is asked of a session that sends.
    this.#sending.proven();
    this.#sendingOpen = open;
    this.#sender.attach(open);
  }

  #onNote(nonce: string | null): void {
    const hearing = this.#hearing;
    if (hearing === null) return;
    hearing.pinger.heard(nonce);
    if (hearing.wasProven) this.#provenAt = this.#host.clock.monotonic();
  }

  async #onProven(hearing: Hearing): Promise<void> {
    hearing.wasProven = true;
    this.#listening.proven();
    // Healthy would mean that polling may be slow, here and, as the queue is everybody's, elsewhere.
    if (this.#watch.paused) return;
    this.#reporter.established(hearing.open.serverVersion);
    const catchingUp = ++this.#catchUps;
    // The sweep first: what it finds has waited for long enough.
    const swept = this.#sweeper.request();
    void this.#settle(hearing);
    await swept;
    // Of a session that is gone, or that has fallen silent meanwhile, it proves nothing; nor of what was paused for while it ran.
    if (this.#hearing === hearing && this.#catchUps === catchingUp && this.state === 'catching_up') this.#reporter.healthy();
  }

  /** What may be done on a session only once it is known to be kept for this process. */
  async #settle(hearing: Hearing): Promise<void> {
    const { open } = hearing;
    if (this.#presence !== null || hearing.isSettling) return;
    hearing.isSettling = true;
    try {
      if (open.ownProcessId === null) await applySettings(open, `${this.#options.applicationName}:listening`);
    } catch {
      // A pooler that allows none of them. What is lost with the session is told by its loss.
    }
    const presence = await this.#presenceLock.take(open.session);
    hearing.isSettling = false;
    if (this.#hearing === hearing && presence !== null) this.#setPresence(presence);
  }

  #onSilence(hearing: Hearing, silence: Silence): void {
    if (this.#hearing !== hearing) return;
    const { open } = hearing;
    if (silence === 'unheard' && !hearing.wasProven) {
      this.#reporter.undeliverable();
      hearing.pinger.stop();
      // Other sessions may be luckier, where the pooler is told otherwise meanwhile; the pause before the listening one grows. Both, since after a
      // failover they may have come to two servers, and the one that was left behind may be either. The sending one is replaced only along with
      // the listening one, so at the same pace.
      const error = new Error('notes do not arrive');
      void this.#listener.unlisten(open.session).then(() => open.session.destroy(error));
      this.#sendingOpen?.session.destroy(error);
    } else if (silence !== 'unsent' && hearing.wasProven) {
      // Deaf, or as silent as the sending session: a new one is there sooner than more can be known about this one.
      open.session.destroy(new Error('notes do not arrive any more'));
    } else {
      this.#reporter.lost(new Error('no note can be sent, so it cannot be known whether any arrive'));
    }
  }

  /** What others do not say any more must be found by polling: whoever knows of the queue stops trusting in notes. */
  #onPause(): void {
    if (this.state !== 'healthy' && this.state !== 'catching_up') return;
    this.#reporter.lost(new Error('the queue of notes of the server is more than half full: nothing is sent until it has room'));
  }

  #onResume(): void {
    this.#sender.resume();
    const hearing = this.#hearing;
    // Fallen silent meanwhile, it waits for its own nonce.
    if (hearing?.pinger.isProven === true && this.#isAlive) void this.#onProven(hearing);
  }

  #onDeaf(error: Error): void {
    this.#hearing?.pinger.stop();
    this.#hearing = null;
    this.#setPresence(null);
    if (this.state !== 'undeliverable') this.#reporter.lost(error);
  }

  #setPresence(presence: string | null): void {
    if (this.#presence === presence || !this.#isAlive) return;
    this.#presence = presence;
    this.#host.onPresence(presence);
  }
}
