// What an instance takes of what is sent to many.
import type { ChannelMode } from '../domain/channel.js';

/** A comparison with one place of what is sent. */
export interface TopicFilter {
  /** Member names and array indexes from the root of the mail's JSON text. */
  readonly path: readonly (string | number)[];
  /** Equal to this, type included. A place that is missing equals nothing. */
  readonly equals: string | number | boolean | null;
}

/** The instance takes what is sent to the topic from the commit on. Again: no effect. */
export interface NewSubscription {
  readonly instanceId: string;
  readonly topic: string;
  /** The topic's mode, which was fixed before (see `MessageStore.fixMode`) and is written again with it. Default: the topic has none, as those of events. */
  readonly mode?: ChannelMode;
  /** Takes only what has this. Several subscriptions of one topic that differ in this count as one that takes what any of them takes. Default: all. */
  readonly filter?: TopicFilter;
  /** The number of the entry with which it comes: what the instance itself publishes by an earlier one does not reach it, and in
   * a batch in which that entry was there already the subscription is left out, as its effects are: it may be over since. Default: 0, no entry. */
  readonly seq?: number;
}
