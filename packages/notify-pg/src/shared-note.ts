// One note for many: where much is told of at a time, ids that differ in nothing else share notes.
import type { Wakeup, WakeupKind } from '@romancy/core/ports';
import { longestPayloadBytes } from './note.js';

/** Kinds that say no more than an id, and perhaps the name of its workflow. */
export type NamingKind = Extract<WakeupKind, 'workflow_resumable' | 'outbox_pending' | 'workflow_finished' | 'workflow_claimed'>;

/** What such a wake-up names. */
export interface Named {
  readonly kind: NamingKind;
  readonly id: string;
  /** Empty for a kind that knows none. */
  readonly workflowName: string;
}

/**
 * Up to so many of a kind and workflow each have a note of their own, exactly as the contract shows it. Of more, the first of each note stands where
 * the contract has it, and the others beside it: a note costs the server and all who listen some ten times what a further id in it does.
 */
const mostAlone = 20;

/** So many share a note at most: as many random UUIDs as it has room for. */
export const mostShared = 190;

/** JSON writes a character with six bytes at most; keys and brackets are fewer than a hundred. */
const surelyFits = Math.floor((longestPayloadBytes - 100) / 6);

/** Null: it has a note of its own, whatever comes beside it. */
export function namedBy(wakeup: Wakeup): Named | null {
  const named = nameIn(wakeup);
  return named !== null && named.id.length + named.workflowName.length <= surelyFits ? named : null;
}

/** The notes for all of these: one each where they are few. */
export function sharedPayloads({
  kind,
  workflowName,
  ids,
}: Omit<Named, 'id'> & { readonly ids: readonly string[] }): readonly string[] {
  const [key, rest] =
    kind === 'workflow_resumable'
      ? ['{"instance_id":', `,"workflow_name":${JSON.stringify(workflowName)}`]
      : [kind === 'outbox_pending' ? '{"event_id":' : '{"instance_id":', ''];
  const one = (id: string): string => `${key}${JSON.stringify(id)}${rest}}`;
  if (ids.length <= mostAlone) return ids.map(one);
  const payloads: string[] = [];
  const share = (from: number, to: number): void => {
    const payload = to - from === 1 ? one(ids[from]!) : sharing(from, to);
    // Alone each fits, so this ends.
    if (to - from > 1 && Buffer.byteLength(payload) > longestPayloadBytes) {
      const middle = (from + to) >> 1;
      share(from, middle);
      share(middle, to);
    } else payloads.push(payload);
  };
  const sharing = (from: number, to: number): string =>
    `${key}${JSON.stringify(ids[from])}${rest},"others":${JSON.stringify(ids.slice(from + 1, to))}}`;
  for (let from = 0; from < ids.length; from += mostShared) share(from, Math.min(ids.length, from + mostShared));
  return payloads;
}

function nameIn(wakeup: Wakeup): Named | null {
  switch (wakeup.kind) {
    case 'workflow_resumable':
      // Stands for others already, which nobody names.
      if (wakeup.more !== undefined) return null;
      return { kind: wakeup.kind, id: wakeup.instanceId, workflowName: wakeup.workflowName };
    case 'outbox_pending':
      return { kind: wakeup.kind, id: wakeup.eventId, workflowName: '' };
    case 'workflow_finished':
    case 'workflow_claimed':
      return { kind: wakeup.kind, id: wakeup.instanceId, workflowName: '' };
    default:
      return null;
  }
}
