// Channels: how messages go from one to many instances, and what a receiver gets.

/**
 * How a channel hands out messages. The first subscription decides, for all of them.
 * - `broadcast`: each subscriber gets each message that is published after it subscribed.
 * - `competing`: each message goes to exactly one subscriber that waits for one, the oldest first; kept until somebody does.
 * - `direct`: only what is sent to the instance itself (`sendTo`) or to its group.
 */
export type ChannelMode = 'broadcast' | 'competing' | 'direct';

export const channelModes: readonly ChannelMode[] = ['broadcast', 'competing', 'direct'];

/** What goes with a message besides its data, for receivers and tools to look at. */
export type MessageMetadata = Readonly<Record<string, string | number | boolean>>;

/** What `receive` gives. */
export interface ReceivedMessage<TData = unknown> {
  readonly id: string;
  readonly channel: string;
  readonly data: TData;
  readonly metadata: MessageMetadata;
  /** The instance that published it; undefined when it came from outside. */
  readonly sender: string | undefined;
  /** When it was published, by the publisher's clock. */
  readonly time: Date;
}
