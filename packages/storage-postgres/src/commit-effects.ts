// Turns what a batch brings about beyond its instances into parameters of the function that commits it.
import {
  childTopic,
  type CancelOrder,
  type Effect,
  type OutgoingMessage,
  type ProgressBatch,
  type Settlement,
} from '@romancy/core/ports';
import { byBytes } from './byte-order.js';
import type { CommitContent } from './commit-content.js';
import { storedFilter } from './topic-filter.js';

/** A message as the function takes it. */
export interface CommitMessage extends Pick<OutgoingMessage, 'messageId' | 'topic' | 'data'> {
  /** What must take place for it to be sent: an entry of `sender`, the refusal of the start of `sender`, the end of `sender`. */
  readonly gate: 'entry' | 'granted' | 'start' | 'end';
  readonly sender: string;
  readonly seq: number | null;
  /** `parent`: an instance too, but one of which nobody is told that it is not there. */
  readonly kind: OutgoingMessage['to']['type'] | 'parent';
  readonly target: string | null;
}

/** Something else, as the function takes it, but for its gate. */
interface Move {
  readonly type: Exclude<Effect['type'], 'message' | 'event'> | 'cancel at end';
  readonly instance: string;
  readonly about: string | null;
  readonly reason: string | null;
  /** Of a cancellation that is for a child of this instance alone; left out: for whoever has the id. */
  readonly parent?: string;
  /** Of a seek: the version of the instance that its run knows, see `ProgressBatch.seen`. */
  readonly seen?: string;
}

/** In the order in which they are sent to each receiver. */
export function messagesOf({ starts, effects, granted, settlements }: CommitContent): readonly CommitMessage[] {
  const messages: CommitMessage[] = [];
  for (const { instanceId: sender, parent } of starts) {
    if (parent === undefined) continue;
    const { messageId, data } = parent.conflict;
    const topic = childTopic(sender);
    messages.push({ gate: 'start', sender, seq: null, messageId, topic, data, kind: 'parent', target: parent.instanceId });
  }
  for (const [gate, list] of [
    ['entry', effects],
    ['granted', granted ?? []],
  ] as const) {
    for (const effect of list) {
      if (effect.type !== 'message') continue;
      const { instanceId: sender, seq, message } = effect;
      messages.push({ gate, sender, seq, ...partsOf(message) });
    }
  }
  for (const settlement of settlements) {
    if (settlement.type !== 'finish') continue;
    for (const message of settlement.messages ?? []) {
      messages.push({ gate: 'end', sender: settlement.instanceId, seq: null, ...partsOf(message) });
    }
  }
  return messages;
}

/** JSON text; null: none. */
export function movesOf({ effects, granted, settlements, seen = [] }: CommitContent): string | null {
  const marks = new Map(seen.map(({ instanceId, mark }) => [instanceId, mark]));
  const seekOf = (effect: Effect): readonly Move[] => {
    const mark = marks.get(effect.instanceId);
    const moves = moveOf(effect, gateOf(effect));
    return effect.type !== 'seek' || mark === undefined ? moves : moves.map((move) => ({ ...move, seen: mark }));
  };
  const moves = [
    ...effects.flatMap(seekOf),
    ...(granted ?? []).flatMap((effect) => moveOf(effect, null)),
    ...settlements.flatMap((settlement) => cancelsOf(settlement)),
  ];
  return moves.length === 0 ? null : JSON.stringify(moves);
}

/** JSON text; null: none. */
export function eventsOf({ effects, granted }: Pick<CommitContent, 'effects' | 'granted'>): string | null {
  const eventOf = (effect: Effect, gate: string | null): readonly object[] => {
    if (effect.type !== 'event') return [];
    const { eventId: id, stream, type, source, data } = effect.event;
    return [{ gate, id, stream, type, source, data }];
  };
  const events = [
    ...effects.flatMap((effect) => eventOf(effect, gateOf(effect))),
    ...(granted ?? []).flatMap((effect) => eventOf(effect, null)),
  ];
  return events.length === 0 ? null : JSON.stringify(events);
}

/** JSON text; null: none. */
export function recursOf(settlements: ProgressBatch['settlements']): string | null {
  const recurs = settlements.flatMap((settlement) => {
    if (settlement.type !== 'recur') return [];
    const { instanceId: instance, claim, archiveId: archive, input, owned, carried, keep } = settlement;
    const { seq, kind, callId: call, position, data, dueAt: due } = carried;
    const kept = keep.map((subscription) => ({ topic: subscription.topic, ...storedFilter(subscription) }));
    return [{ instance, claim, archive, input, owned, seq, kind, call, position, data, due, keep: kept }];
  });
  // The new rows are inserted in the order of their ids, as all are.
  recurs.sort((a, b) => byBytes(a.archive, b.archive));
  return recurs.length === 0 ? null : JSON.stringify(recurs);
}

/** As the function writes down which entries it inserted. */
function gateOf({ instanceId, seq }: Effect): string {
  return `${seq} ${instanceId}`;
}

function partsOf({ messageId, topic, data, to }: OutgoingMessage): Omit<CommitMessage, 'gate' | 'sender' | 'seq'> {
  const target = to.type === 'instance' ? to.instanceId : to.type === 'group' ? to.group : null;
  return { messageId, topic, data, kind: to.type, target };
}

function moveOf(effect: Effect, gate: string | null): readonly (Move & { readonly gate: string | null })[] {
  const { instanceId: instance } = effect;
  switch (effect.type) {
    case 'message':
    case 'event':
      return [];
    case 'join':
    case 'leave':
      return [{ type: effect.type, gate, instance, about: effect.group, reason: null }];
    case 'cancel':
      return [{ type: effect.type, gate, instance, ...ordered(effect.order) }];
    case 'compensating':
      return [{ type: effect.type, gate, instance, about: null, reason: null }];
    default:
      return [{ type: effect.type, gate, instance, about: effect.topic, reason: null }];
  }
}

function cancelsOf(settlement: Settlement): readonly Move[] {
  if (settlement.type !== 'finish') return [];
  const { instanceId: instance, cancels } = settlement;
  return (cancels ?? []).map((order) => ({ type: 'cancel at end', instance, ...ordered(order) }));
}

function ordered({ instanceId, reason, childOf }: CancelOrder): Pick<Move, 'about' | 'reason' | 'parent'> {
  return { about: instanceId, reason, ...(childOf === undefined ? {} : { parent: childOf }) };
}
