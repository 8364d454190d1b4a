// What goes into the commit of an entry besides the entry, and what others are told of it.
import type { Wakeup } from '../domain/wakeup.js';
import { messageWakeup } from '../ports/message-store.js';
import type { Effect } from '../ports/effect.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { NewSubscription } from '../ports/subscription.js';

/** An effect before it is known by which entry it comes. */
export type EffectFacts = Bare<Effect>;

type Bare<T> = T extends unknown ? Omit<T, 'instanceId' | 'seq'> : never;

/** Made by calls; all optional, and left out altogether for most entries. */
export interface ExtraFacts {
  /** Mail that the entry records as received; removed in the same commit. */
  readonly takenMailId?: string | undefined;
  readonly subscription?: Omit<NewSubscription, 'instanceId' | 'seq'> | undefined;
  readonly effects?: readonly EffectFacts[] | undefined;
  /** A child. */
  readonly start?: NewInstance | undefined;
  /** What others are told beyond what follows from the effects and the start. */
  readonly wakeups?: readonly Wakeup[] | undefined;
}

/** The same, of an entry that has its number. */
export interface EntryExtras {
  readonly takenMailId: string | undefined;
  readonly subscription: NewSubscription | undefined;
  readonly effects: readonly Effect[];
  readonly start: NewInstance | undefined;
  readonly wakeups: readonly Wakeup[];
}

const noEffects: readonly Effect[] = [];
const noWakeups: readonly Wakeup[] = [];

export function numberedExtras(facts: ExtraFacts, entry: { readonly instanceId: string; readonly seq: number }): EntryExtras {
  const { instanceId, seq } = entry;
  const { takenMailId, subscription, effects, start, wakeups } = facts;
  return {
    takenMailId,
    subscription: subscription === undefined ? undefined : { ...subscription, instanceId, seq },
    effects: effects === undefined ? noEffects : effects.map((effect): Effect => ({ ...effect, instanceId, seq })),
    start,
    wakeups: wakeups ?? noWakeups,
  };
}

/** What others are told once an effect is committed. */
export function wakeupsOfEffects(effects: readonly Effect[]): Wakeup[] {
  const wakeups: Wakeup[] = [];
  for (const effect of effects) {
    if (effect.type === 'message') wakeups.push(messageWakeup(effect.message));
    else if (effect.type === 'event') wakeups.push({ kind: 'outbox_pending', eventId: effect.event.eventId });
  }
  return wakeups;
}

/**
 * Effects that are to be committed together, without those that a later one of the same instance undoes and that a storage would
 * carry out after it: leave before join of the same group, seek before unseek of the same topic. (The other way round is the order of the storage.)
 */
export function withoutUndone(effects: readonly Effect[]): readonly Effect[] {
  if (effects.length < 2) return effects;
  const undone = new Set<Effect>();
  // Those of one type that came last: there may be several.
  const latest = new Map<string, Effect[]>();
  for (const effect of effects) {
    const key = keyOf(effect);
    if (key === null) continue;
    const before = latest.get(key);
    const typeBefore = before?.[0]!.type;
    if (typeBefore === effect.type) before!.push(effect);
    else {
      if (typeBefore === 'leave' || typeBefore === 'seek') for (const one of before!) undone.add(one);
      latest.set(key, [effect]);
    }
  }
  return undone.size === 0 ? effects : effects.filter((effect) => !undone.has(effect));
}

function keyOf(effect: Effect): string | null {
  switch (effect.type) {
    case 'join':
    case 'leave':
      return `group ${effect.instanceId} ${effect.group}`;
    case 'seek':
    case 'unseek':
      return `topic ${effect.instanceId} ${effect.topic}`;
    default:
      return null;
  }
}
