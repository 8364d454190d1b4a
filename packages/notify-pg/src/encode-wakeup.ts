// What a wake-up looks like on the wire: the JSON keys of the published contract.
import type { Wakeup } from '@romancy/core/ports';
import { everythingNote, longestPayloadBytes, type Note } from './note.js';

/** Never throws: what cannot be said in a note becomes one that says "look at everything". */
export function encodeWakeup(wakeup: Wakeup): Note {
  const payload = payloadOf(wakeup);
  if (payload === null) return everythingNote;
  // A character takes at most three bytes: most payloads need not be counted.
  const isShort = payload.length * 3 <= longestPayloadBytes || Buffer.byteLength(payload) <= longestPayloadBytes;
  return isShort ? { kind: wakeup.kind, payload } : everythingNote;
}

/** Text by text, without an object in between: it is what a busy process does most here, and an idle one does in the way of the first note. */
function payloadOf(wakeup: Wakeup): string | null {
  switch (wakeup.kind) {
    case 'workflow_resumable':
      return `{"instance_id":${text(wakeup.instanceId)},"workflow_name":${text(wakeup.workflowName)}${moreOf(wakeup)}}`;
    case 'timer_expired': {
      const expiresAt = new Date(wakeup.expiresAt);
      if (Number.isNaN(expiresAt.getTime())) return null;
      return `{"instance_id":${text(wakeup.instanceId)},"timer_id":${text(wakeup.timerId)},"expires_at":"${expiresAt.toISOString()}"}`;
    }
    case 'channel_message':
      return `{"channel_name":${text(wakeup.channelName)},"message_id":${messageId(wakeup.messageId)},"target_instance_id":${text(wakeup.targetInstanceId)}}`;
    case 'outbox_pending':
      return `{"event_id":${text(wakeup.eventId)}}`;
    case 'workflow_finished':
    case 'workflow_claimed':
      return `{"instance_id":${text(wakeup.instanceId)}}`;
    case 'worker_busy':
      return `{"worker_id":${text(wakeup.workerId)}}`;
  }
}

/** A key beyond the contract, where one note stands for many; who does not know it takes the note for one of the instance. */
function moreOf({ more }: Extract<Wakeup, { kind: 'workflow_resumable' }>): string {
  return more === undefined ? '' : `,"more":${more}`;
}

/** A number where one says exactly the same, as the contract shows it; otherwise the text. */
function messageId(id: string): string {
  const number = Number(id);
  return Number.isSafeInteger(number) && String(number) === id ? id : text(id);
}

/** As JSON has it. Most ids are nothing but plain letters, and said sooner than a call of JSON begins. */
function text(value: string | null): string {
  return value !== null && isPlain(value) ? `"${value}"` : JSON.stringify(value);
}

/** Of ASCII alone, without what JSON has to write otherwise. */
export function isPlain(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}
