// The part of the storage port by which messages and events find their receivers.
import type { ChannelMode } from '../domain/channel.js';
import { topicName } from '../domain/topic.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { WithWakeups } from './with-wakeups.js';

/** Whom something is for. */
export type Recipient =
  /** Whoever is subscribed to the topic. */
  | { readonly type: 'subscribers' }
  /** The one instance, subscribed or not: kept for it when it does not wait yet. */
  | { readonly type: 'instance'; readonly instanceId: string }
  /** Every member of the group at that moment, subscribed or not. */
  | { readonly type: 'group'; readonly group: string };

/** Something to be put into mailboxes. */
export interface OutgoingMessage {
  /** Chosen by the sender, unique. */
  readonly messageId: string;
  readonly topic: string;
  /** JSON text made by the codec: the whole message or event, as its receiver gets it. */
  readonly data: string;
  readonly to: Recipient;
}

/** A message or an event on its way in from outside. */
export interface IncomingMessage extends OutgoingMessage {
  /** With `messageId` its identity: the same pair again does nothing. */
  readonly source: string;
  /**
   * For an event that is for whoever is subscribed: it also starts one instance of each workflow that was registered as starting on its
   * topic. Null: it starts nothing.
   */
  readonly starts: {
    /** JSON text: the event's data. */
    readonly input: string;
    /** The id of each is the workflow's name, a colon, and this. When there is an instance with that id, none is started. */
    readonly idEnding: string;
  } | null;
}

/** What became of an {@link IncomingMessage}. */
export interface Delivery extends WithWakeups {
  /**
   * `unknown` and `finished`: the one instance that it is for; it is then not taken as seen. `duplicate`: nothing was done.
   */
  readonly outcome: 'delivered' | 'duplicate' | 'unknown' | 'finished';
  /** How many instances got it. One that waits on a `competing` channel for whoever comes is delivered to nobody yet. */
  readonly receivers: number;
  /** The instances that it started. */
  readonly started: readonly { readonly instanceId: string; readonly workflowName: string }[];
}

/**
 * Mail is one row for each receiver, written in the transaction that sends it, under the lock of the receiver's row. So there are no
 * cursors that could jump over rows which commit late, and each receiver's mail ascends in the order in which senders committed.
 *
 * Topics of channels (`isChannelTopic`) have a mode; all others have none and no queue. `broadcast`: as above. `direct`: what is published to the topic
 * reaches nobody. What is published to a `competing` topic, or to one that has no
 * mode yet, is queued under the topic in the order of arrival, and handed to subscribers that seek (see {@link Effect}), the
 * longest-seeking first; what comes back to the queue is handed on in the same transaction. When the first subscription makes the topic `competing`, what was queued is its backlog; when it makes it
 * anything else, what was queued is dropped. All that touches the queue or the seekers of one topic is done under one lock of the topic, taken before
 * any lock of an instance's row: so no message is overlooked by a seeker that comes at the same moment.
 */
export interface MessageStore {
  /**
   * Gives the topic of a channel its mode, if it has none. A mode stays for as long as anybody is subscribed or anything is queued, and at least
   * for a day after this call: until then it may be remembered.
   * @returns the mode that the topic has: another one than was asked for is a conflict.
   */
  fixMode(request: { readonly topic: string; readonly mode: ChannelMode }): Promise<ChannelMode>;
  /** Ids of the group's members, ascending by code units of UTF-8. */
  members(group: string): Promise<readonly string[]>;
  /**
   * Puts it into the mail of whoever it is for, sets their attention, and makes those that nobody owns claimable; starts what starts on
   * it: all in one transaction. Can be repeated: the second time it is a duplicate.
   */
  deliver(message: IncomingMessage): Promise<Delivery>;
  /**
   * The same for several that come together, in one transaction: each receiver gets them in this order, but for what he gets out of a queue, which may come behind
   * all else (queues keep this order in themselves); and each is answered for itself, in the order of the list. What becomes of one (a duplicate, an instance that is not there) changes nothing for the others. When this
   * rejects, none was delivered, or all were and the answer is lost. No two of the list have the same identity.
   */
  deliverAll(messages: readonly IncomingMessage[]): Promise<readonly Delivery[]>;
}

/** What others are told of something that was sent. */
export function messageWakeup({ messageId, topic, to }: Omit<OutgoingMessage, 'data'>): Wakeup {
  return {
    kind: 'channel_message',
    channelName: topicName(topic),
    messageId,
    targetInstanceId: to.type === 'instance' ? to.instanceId : null,
  };
}

/** A message of a queue, and the instance that got it. */
export interface HandedMessage extends Pick<OutgoingMessage, 'messageId' | 'topic'> {
  readonly instanceId: string;
}

/** What others are told of a message that came to this instance out of a queue. */
export function handedWakeup({ messageId, topic, instanceId }: HandedMessage): Wakeup {
  return messageWakeup({ messageId, topic, to: { type: 'instance', instanceId } });
}
