// Topics: what mail is filed under. Events, channels and ends of children never get into each other's way, whatever they are called.

export function eventTopic(type: string): string {
  return `event:${type}`;
}

export function channelTopic(channel: string): string {
  return `channel:${channel}`;
}

/** Under which the end of a child reaches its parent. */
export function childTopic(instanceId: string): string {
  return `child:${instanceId}`;
}

/** The event type, channel or instance id in a topic: what wake-ups and people call it. */
export function topicName(topic: string): string {
  return topic.slice(topic.indexOf(':') + 1);
}

/** Whether it is a channel's: only those have modes and queues. */
export function isChannelTopic(topic: string): boolean {
  return topic.startsWith('channel:');
}
