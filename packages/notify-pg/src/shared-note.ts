// One note for many: on the channels that are between processes of Romancy, ids share notes. On those of the contract each has its own.
import type { Wakeup, WakeupKind } from '@romancy/core/ports';
import { longestPayloadBytes } from './note.js';

/** Kinds that say an id and nothing else, to nobody but Romancy. */
export type SharingKind = Extract<WakeupKind, 'workflow_finished' | 'workflow_claimed'>;

/** So many share a note at most: as many random UUIDs as it has room for. A further id costs all who send and hear it a tenth of what a note does. */
export const mostShared = 190;

/** JSON writes a character with six bytes at most; the key and the brackets are fewer than a hundred. */
export const longestSharedId = Math.floor((longestPayloadBytes - 100) / 6);

export function isSharing(kind: string): kind is SharingKind {
  return kind === 'workflow_finished' || kind === 'workflow_claimed';
}

/** The id, of a wake-up that can share a note. Null: of another kind, or an id of a length that no instance has. */
export function sharedIdOf(wakeup: Wakeup): string | null {
  if (wakeup.kind !== 'workflow_finished' && wakeup.kind !== 'workflow_claimed') return null;
  return wakeup.instanceId.length <= longestSharedId ? wakeup.instanceId : null;
}

/** Notes that name all of these, in their order. */
export function sharedPayloads(ids: readonly string[]): readonly string[] {
  const payloads: string[] = [];
  const share = (from: number, to: number): void => {
    const payload = payloadOf(ids, from, to);
    // Alone each fits, so this ends.
    if (to - from > 1 && Buffer.byteLength(payload) > longestPayloadBytes) {
      const middle = (from + to) >> 1;
      share(from, middle);
      share(middle, to);
    } else payloads.push(payload);
  };
  for (let from = 0; from < ids.length; from += mostShared) share(from, Math.min(ids.length, from + mostShared));
  return payloads;
}

function payloadOf(ids: readonly string[], from: number, to: number): string {
  const first = `{"instance_id":${JSON.stringify(ids[from])}`;
  return to - from === 1 ? `${first}}` : `${first},"others":${JSON.stringify(ids.slice(from + 1, to))}}`;
}
