// Waits for mail: an event, a message, the end of a child. The oldest that fits, or the timeout.
import { WaitTimeoutError } from '../../domain/errors.js';
import type { HistoryEntry, HistoryKind } from '../../domain/history.js';
import type { WaitingStatus } from '../../domain/instance.js';
import type { Mail } from '../../ports/run-signals.js';
import type { NewSubscription } from '../../ports/subscription.js';
import type { CallIdentity } from '../call-ids.js';
import type { Verb } from '../determinism.js';
import type { EffectFacts, ExtraFacts } from '../entry-extras.js';
import type { MailFilter } from '../mailbox.js';
import type { CallHost, DurableCall, Waiting } from './durable-call.js';

/** What is waited for, and how that is written down. */
export interface MailWait<T> extends CallIdentity {
  readonly verb: Verb;
  readonly topic: string;
  /** What people call it. */
  readonly name: string;
  readonly status: WaitingStatus;
  /** The kinds of its entries. `set` null: nothing is recorded at the call, and it has no timeout. */
  readonly kinds: { readonly set: HistoryKind | null; readonly received: HistoryKind; readonly timedOut: HistoryKind | null };
  readonly timeoutMs: number | null;
  /** Made with the wait, if the instance does not have it. */
  readonly subscription?: Pick<NewSubscription, 'topic' | 'filter'> | undefined;
  /** Which mail of the topic. Default: any. */
  readonly isWanted?: MailFilter | undefined;
  /** The topic is `competing`: it has to ask for a message. */
  readonly seeks: boolean;
  /** What the code gets of what was received; what it throws, the code is thrown. */
  readonly accept: (received: unknown) => T | Promise<T>;
}

/** Mail is taken by the oldest open wait that it fits; the taking and the record of it are one commit. */
export class MailWaitCall<T> implements DurableCall {
  readonly verb: Verb;
  readonly position: number;
  readonly id: string;
  readonly promise: Promise<T>;
  isLive = false;
  readonly #host: CallHost;
  readonly #wait: MailWait<T>;
  #resolve!: (value: T | Promise<T>) => void;
  #reject!: (error: Error) => void;
  #waiting: Waiting | null = null;
  /** It counts as one of the instance's calls that ask the queue of the topic for a message. */
  #isSeeking = false;
  #isSettling = false;
  /** Its end, which is on its way, gives back to the queue. */
  #recorded: (() => void) | null = null;
  #abandoned = false;

  constructor(host: CallHost, wait: MailWait<T>) {
    this.#host = host;
    this.#wait = wait;
    this.verb = wait.verb;
    this.position = wait.position;
    this.id = wait.id;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A loser of a race may reject with nobody listening; that is no fault of the process.
    this.promise.catch(() => undefined);
  }

  get waiting(): Waiting | null {
    return this.#waiting;
  }

  apply(entry: HistoryEntry): boolean {
    const { kinds, subscription, seeks, status, name, timeoutMs, accept } = this.#wait;
    if (entry.kind === kinds.set) {
      if (subscription !== undefined) this.#host.subscriptions.add(subscription);
      // On the first run, when it is known, what is at hand already is not asked for.
      if (seeks && !this.isLive) this.#seeks();
      this.#waiting = { status, dueAt: entry.dueAt };
      return false;
    }
    this.#waiting = null;
    this.#ceases();
    this.#recorded?.();
    if (entry.kind === kinds.received) {
      try {
        this.#resolve(accept(this.#host.services.codec.decode(entry.data!)));
      } catch (error) {
        this.#reject(error as Error);
      }
    } else {
      this.#reject(new WaitTimeoutError({ waitedFor: name, timeoutMs: timeoutMs ?? 0 }));
    }
    return true;
  }

  goLive(): void {
    if (this.#waiting !== null) this.onMail();
    else if (this.#host.subscriptions.isUnsettled(this.#wait.topic)) void this.#settleFirst(() => this.#set());
    else this.#set();
  }

  onMail(): void {
    if (this.#waiting === null) return;
    const { topic, isWanted } = this.#wait;
    if (this.#mayBeGone) {
      if (!this.#isSettling) void this.#settleFirst(() => this.onMail());
      return;
    }
    const mail = this.#host.mailbox.take(topic, isWanted);
    if (mail !== undefined) this.#receive(mail);
    else if (this.#host.mailbox.mayHaveMore) void this.#search();
  }

  expire(): void {
    this.#waiting = null;
    this.#host.propose({
      call: this,
      kind: this.#wait.kinds.timedOut!,
      data: null,
      dueAt: null,
      extras: { effects: this.#effectsOfEnd(false) },
    });
  }

  abandon(): void {
    this.#abandoned = true;
    this.#waiting = null;
  }

  /** The instance unsubscribed while this wait stayed open, or gave back: what is at hand of the queue's may have gone there. */
  get #mayBeGone(): boolean {
    const { topic, seeks } = this.#wait;
    return seeks && this.#host.subscriptions.isUnsettled(topic);
  }

  #set(): void {
    const { kinds, topic, name, timeoutMs, subscription, seeks, status, isWanted } = this.#wait;
    const { mailbox, services, subscriptions } = this.#host;
    if (kinds.set === null) {
      this.#waiting = { status, dueAt: null };
      this.onMail();
      return;
    }
    const dueAt = timeoutMs === null ? null : services.storageTime.ahead() + timeoutMs;
    const mail = mailbox.take(topic, isWanted);
    const seeking = seeks && mail === undefined;
    // In the same commit as the entry: whoever sends after that commit reaches this instance.
    const isNew = subscription !== undefined && !subscriptions.has(subscription);
    const extras: ExtraFacts | undefined =
      isNew || seeking
        ? { subscription: isNew ? subscription : undefined, effects: seeking ? [{ type: 'seek', topic }] : undefined }
        : undefined;
    if (seeking) this.#seeks();
    this.#host.recordAtCall(this, { kind: kinds.set, data: services.codec.encode(name), dueAt }, extras);
    if (mail !== undefined) this.#receive(mail);
    else this.onMail();
  }

  #receive(mail: Mail): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    const { kinds, topic } = this.#wait;
    const { subscriptions } = this.#host;
    const removals = subscriptions.removals(topic);
    // The code unsubscribes at once, before this has its turn: what came from the queue has gone back there then.
    const voided = (): boolean => {
      if (subscriptions.removals(topic) === removals || this.#abandoned) return false;
      // What it would have given back itself went with the subscription.
      this.#recorded?.();
      this.#recorded = null;
      this.#waiting = waiting;
      this.onMail();
      return true;
    };
    const extras = { effects: this.#effectsOfEnd(mail.isQueued), takenMailId: mail.mailId };
    const proposal = { call: this, kind: kinds.received, data: mail.data, dueAt: null, extras };
    this.#host.propose(mail.isQueued ? { ...proposal, voided } : proposal);
  }

  /**
   * A seek brings one message and is over. Where it did not, it must not stay behind the last call that wanted it, or the queue's next
   * message would go to somebody who does not wait; and where it did, other calls of this instance may still want theirs. Where calls sought beside each
   * other, the last to end cannot tell how many messages their seeks have brought: what nobody took goes back.
   */
  #effectsOfEnd(cameFromQueue: boolean): readonly EffectFacts[] | undefined {
    const { topic } = this.#wait;
    const { subscriptions } = this.#host;
    const hasSought = this.#isSeeking;
    const wereSeveral = subscriptions.wasAskedAgain(topic);
    this.#ceases();
    // Also of one that found its message at hand: it was another one's.
    if (subscriptions.seekers(topic) > 0) return cameFromQueue ? [{ type: 'seek', topic }] : undefined;
    if (!hasSought || (cameFromQueue && !wereSeveral)) return undefined;
    this.#recorded = subscriptions.givesBack(topic);
    return [{ type: 'unseek', topic }];
  }

  #seeks(): void {
    this.#isSeeking = true;
    this.#host.subscriptions.seeks(this.#wait.topic, 1);
  }

  #ceases(): void {
    if (!this.#isSeeking) return;
    this.#isSeeking = false;
    this.#host.subscriptions.seeks(this.#wait.topic, -1);
  }

  /**
   * An earlier wait gave back what the queue had given to the instance, or a subscription ended and its mail with it. A reading that was under
   * way then may have brought that all the same: only what is read after it is durable is the instance's.
   */
  async #settleFirst(then: () => void): Promise<void> {
    const { topic } = this.#wait;
    const { subscriptions, mailbox } = this.#host;
    this.#host.workBegins();
    this.#isSettling = true;
    try {
      // Another wait that began meanwhile may have ended and given back once more.
      while (subscriptions.isUnsettled(topic)) {
        const mark = subscriptions.unsettledMark(topic);
        await this.#host.durable();
        if (this.#abandoned) return;
        // The first one waits for those that began before, too.
        await this.#host.readSignals();
        if (this.#abandoned) return;
        // Another call may have come first, and what came since is by its seek.
        if (mark === null || !subscriptions.isUnsettled(topic) || !subscriptions.settle(topic, mark)) continue;
        mailbox.forget(topic);
        await this.#host.readSignals();
        if (this.#abandoned) return;
      }
      this.#isSettling = false;
      then();
    } catch (error) {
      if (!this.#abandoned) this.#host.broken(error as Error);
    } finally {
      this.#host.workEnds();
    }
  }

  /** Looks beyond what fits into memory; the run must not be put away meanwhile. */
  async #search(): Promise<void> {
    const { topic, isWanted } = this.#wait;
    this.#host.workBegins();
    try {
      while (!(await this.#host.mailbox.search(topic, isWanted))) if (this.#waiting === null) return;
      if (this.#waiting === null) return;
      // What was found may have gone back to the queue while it was looked for: then all is settled first, and looked for anew.
      if (this.#mayBeGone) {
        this.onMail();
        return;
      }
      const mail = this.#host.mailbox.take(topic, isWanted);
      if (mail !== undefined) this.#receive(mail);
    } catch (error) {
      // The storage refused, or nobody waits for it any more.
      this.#host.broken(error as Error);
    } finally {
      this.#host.workEnds();
    }
  }
}
