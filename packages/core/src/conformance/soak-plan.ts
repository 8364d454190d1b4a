// What a worker process of the soaks is told, and how messages and events are numbered so that each can be told from all others.

/** The process's first argument, as JSON. */
export interface SoakPlan {
  /** Says where the database is, and how it is reached. */
  readonly place: string;
  /** The file to which events are sent, a line each. */
  readonly sink: string;
  readonly leaseMs: number;
  /** How long an activity with a transaction of its own waits at most before it returns, in milliseconds. */
  readonly waitMs: number;
  /** The share of attempts to send an event that fail. */
  readonly failShare: number;
}

export const kinds = ['broadcast', 'competing', 'direct'] as const;
export type Kind = (typeof kinds)[number];

export const channels = { broadcast: 'news', competing: 'jobs', direct: 'inbox' } as const satisfies Record<Kind, string>;

/** Data of a message. A negative number says that no more come. */
export interface Parcel {
  readonly number: number;
  /** Of one publisher, parcels of one receiver ascend. Those from outside are each of a publisher of its own. */
  readonly publisher: string;
}

export const subscriberCount = 20;
/** Of the events, each with an order of its own. */
export const streamCount = 20;
/** Where a publisher's instance is told to publish. */
export const publishEvent = 'soak.publish';
/** The group of all subscribers. */
export const everybody = 'subscribers';

export const subscriberId = (index: number): string => `subscriber-${index}`;
/** The group of that subscriber alone. */
export const groupOf = (index: number): string => `group-${index}`;

/** Every twentieth goes to all: as many deliveries as all others together. */
export function kindOf(number: number): Kind {
  if (number % 20 === 0) return 'broadcast';
  return number % 2 === 0 ? 'competing' : 'direct';
}

/** The subscriber to which a direct message goes. */
export function targetOf(number: number): number {
  return (number >> 1) % subscriberCount;
}

/** Some direct messages go by the group of their receiver. */
export function goesByGroup(number: number): boolean {
  return number % 7 === 0;
}
