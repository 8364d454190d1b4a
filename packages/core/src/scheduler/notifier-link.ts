// What lies between the scheduler and its notifier: what notes of others cause here, what others are told, and what both are judged by.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { NotifierStateEvent } from '../ports/hooks.js';
import type { Logger } from '../ports/logger.js';
import type { Notifier } from '../ports/notifier.js';
import type { ClaimOutcome } from './claim-outcome.js';
import { HeardWakeups } from './heard-wakeups.js';
import { Herd, manyClaimed } from './herd.js';
import { Latencies } from './latencies.js';
import { LostWakeups } from './lost-wakeups.js';
import { NotifierWatch, type NotifierView } from './notifier-watch.js';
import type { OutboxRelayer } from './outbox-relayer.js';
import type { ResultWatcher } from './result-watcher.js';
import type { WakeupHub } from './wakeup-hub.js';
import type { WorkFinder } from './work-finder.js';
import type { WorkerSession } from './worker-session.js';

/** A notifier promises to stop within two seconds; the app does not wait for a broken promise. */
const stopMs = 2500;

export interface NotifierLinkParts {
  readonly notifier: Notifier;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly fallbackIntervalMs: number;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  readonly hub: WakeupHub;
  readonly finder: WorkFinder;
  readonly watcher: ResultWatcher;
  /** Null: this process sends no events. */
  readonly relayer: OutboxRelayer | null;
  readonly session: () => WorkerSession | null;
  readonly peers: () => readonly string[];
  /** The sign of this process has changed. */
  readonly onPresence: () => void;
  /** Another worker has runs in memory. */
  readonly onOthersBusy: () => void;
  /** The user's hook; never throws. */
  readonly tell: (event: NotifierStateEvent) => void;
}

export class NotifierLink {
  readonly #parts: NotifierLinkParts;
  readonly #watch: NotifierWatch;
  readonly #heard: HeardWakeups;
  readonly #lost: LostWakeups;
  readonly #herd: Herd;
  readonly #latencies = new Latencies();
  #presence: string | null = null;
  #emptyClaims = 0;

  constructor(parts: NotifierLinkParts) {
    const { clock, entropy, logger, notifier, finder, watcher, relayer, session, peers, tell } = parts;
    this.#parts = parts;
    this.#heard = new HeardWakeups(clock);
    this.#lost = new LostWakeups({ clock, heard: this.#heard, onChange: (is, reason) => this.#watch.lossyIs(is, reason) });
    this.#watch = new NotifierWatch({
      notifier,
      clock,
      logger,
      onChange: (state) => {
        finder.notifierIs(state);
        watcher.hurry();
        relayer?.notifierIs(state);
      },
      tell,
    });
    const workerId = (): string | null => session()?.workerId ?? null;
    this.#herd = new Herd({ clock, entropy, peers, workerId, claim: (cause) => finder.request(cause) });
    parts.hub.on('left', this.#left);
  }

  /** The sign of this process at this moment. */
  get presence(): string | null {
    return this.#presence;
  }

  /** Never rejects: without its notifier the app polls. */
  async start(): Promise<void> {
    const { notifier, clock, entropy, logger, fallbackIntervalMs, finder, watcher, relayer, hub, onPresence } = this.#parts;
    try {
      this.#presence = notifier.presence;
      await notifier.start({
        clock,
        entropy,
        logger,
        fallbackIntervalMs,
        onWakeups: (wakeups) => void hub.emit('wakeups', wakeups, 'elsewhere'),
        onSweep: async () => {
          await Promise.all([finder.sweep(), watcher.sweep(), relayer?.sweep()]);
        },
        onStateChange: (state, reason) => {
          if (state !== 'healthy') this.#lost.reset();
          this.#watch.notifierIs(state, reason);
        },
        onPresence: (presence) => {
          this.#presence = presence;
          onPresence();
        },
      });
    } catch (error) {
      logger.error('the notifier failed to start; polling', { error: String(error) });
    }
  }

  /** Hands wake-ups to other processes. */
  send(wakeups: readonly Wakeup[]): void {
    if (wakeups.length === 0) return;
    try {
      this.#parts.notifier.send(wakeups);
    } catch (error) {
      // It must not throw, and if it does all the same, no commit may suffer: whoever is not told finds the work by polling.
      this.#parts.logger.error('the notifier failed to take wake-ups', { error: String(error) });
    }
  }

  /** This worker has had a run for a while: others watch it from now on, if there is a sign to watch. */
  tellBusy(workerId: string): void {
    if (this.#presence !== null) this.send([{ kind: 'worker_busy', workerId }]);
  }

  /** This process announced an instance itself, and acts on that by itself. */
  announced(instanceId: string): void {
    this.#heard.hear(instanceId, { toClaim: true });
  }

  /** This process sent something to whoever is subscribed. */
  announcedToAll(): void {
    this.#heard.hearOfAll();
  }

  /** Notes came in. Each causes at most one claim, and those that are not for this process nothing at all. */
  heard(wakeups: readonly Wakeup[]): void {
    const { finder, workflows, session, onOthersBusy } = this.#parts;
    for (const wakeup of wakeups) {
      switch (wakeup.kind) {
        case 'timer_expired':
          finder.dueAt(wakeup.expiresAt);
          break;
        case 'workflow_resumable':
          if (workflows.has(wakeup.workflowName)) this.#heardOfResumable(wakeup);
          break;
        case 'channel_message':
          if (wakeup.targetInstanceId !== null) this.#heardOf(wakeup.targetInstanceId);
          else {
            this.#heard.hearOfAll();
            this.#herd.announcedToSome(wakeup.messageId);
          }
          break;
        case 'workflow_claimed':
          this.#herd.claimed(wakeup.instanceId, { isNamed: this.#heard.claimedElsewhere(wakeup.instanceId) });
          break;
        case 'worker_busy':
          if (wakeup.workerId !== session()?.workerId) onOthersBusy();
          break;
        case 'outbox_pending':
        case 'workflow_finished':
          // Not for those who look for work: the watcher of results hears of ends, the relayer of events.
          break;
      }
    }
  }

  /** Something is due. Where notes of others can be relied on, this process claims only when it is its turn. */
  due(moment: number): void {
    if (this.#watch.state === 'healthy') this.#herd.due(moment);
    else this.#parts.finder.request('due');
  }

  /** A claim came back. */
  claimed({ claimed, attention, isPoll, isTold, isDue, sentAt, next }: ClaimOutcome): void {
    this.#herd.learned(next === null ? null : { ...next, sentAt });
    if (this.#watch.isTrusted) {
      if (isPoll) this.#lost.polled([...claimed, ...attention]);
      else this.#lost.toldOf(claimed.length);
    }
    if (isTold && claimed.length === 0 && attention.length === 0) this.#emptyClaims++;
    const announced: Wakeup[] = [];
    for (const instanceId of claimed) {
      const age = this.#heard.take(instanceId);
      if (age !== undefined) this.#latencies.add(age);
      // Told of without a name, by something that was sent to whoever is subscribed: others wait for these as well.
      // Of what is due, others need not know more than that there is much. An upkeep may have been the first to see it.
      const isNews = age !== undefined || isTold || ((isDue || isPoll) && announced.length < manyClaimed);
      if (isNews) announced.push({ kind: 'workflow_claimed', instanceId });
    }
    if (this.#herd.isCrowd) this.send(announced);
  }

  /** Upkeep found that something had happened to these instances of this worker. */
  foundAttention(instanceIds: readonly string[]): void {
    if (this.#watch.isTrusted) this.#lost.polled(instanceIds);
  }

  status(): NotifierView {
    const [p50, p99] = [this.#latencies.percentile(0.5), this.#latencies.percentile(0.99)];
    return {
      ...this.#watch.status(),
      pollIntervalMs: this.#parts.finder.pollIntervalMs,
      emptyClaims: this.#emptyClaims,
      foundByPoll: this.#lost.found,
      wakeupToClaimMs: { p50, p99 },
    };
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    const { notifier, clock, logger, hub } = this.#parts;
    hub.off('left', this.#left);
    this.#herd.stop();
    this.#lost.stop();
    let cancel = (): void => undefined;
    const tooLong = new Promise<void>((resolve) => {
      cancel = clock.schedule(stopMs, () => resolve(), { keepAlive: true });
    });
    try {
      await Promise.race([notifier.stop(), tooLong]);
    } catch (error) {
      logger.error('the notifier failed to stop', { error: String(error) });
    } finally {
      cancel();
    }
    this.#watch.notifierIs('stopped', 'the app has stopped');
  }

  #heardOfResumable({ instanceId, more = 0 }: Extract<Wakeup, { kind: 'workflow_resumable' }>): void {
    if (more > 0) this.#heard.hearOfAll();
    // So many at once need all hands, and nobody is to wait for his turn.
    if (more >= manyClaimed) this.#parts.finder.request('told');
    else if (more > 0) this.#herd.announcedToSome(instanceId);
    else this.#heardOf(instanceId);
  }

  #heardOf(instanceId: string): void {
    const session = this.#parts.session();
    const isHere = session?.isHere(instanceId) ?? false;
    this.#heard.hear(instanceId, { toClaim: !isHere });
    if (isHere) session!.attend([instanceId]);
    else this.#herd.announced(instanceId);
  }

  /**
   * Its run was here when a note came in, and was told. It may have been on its way out: put away before what the note tells of, its answer
   * still to come. Then nobody owns the instance, and it is due.
   */
  readonly #left = (instanceId: string): void => {
    if (this.#heard.isForRun(instanceId)) this.#parts.finder.request('told');
  };
}
