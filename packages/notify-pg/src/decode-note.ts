// Reads what came over a channel, which anybody may have sent: strict, and never throwing.
import type { Wakeup } from '@romancy/core/ports';
import type { ChannelNames, NoteKind } from './channel-names.js';
import { isPlain } from './plain-text.js';
import type { SharingKind } from './shared-note.js';

/** What a note says; null: nothing that can be understood. */
export type Heard =
  | Wakeup
  /** One note that names many. */
  | { readonly kind: 'several'; readonly wakeups: readonly Wakeup[] }
  | { readonly kind: 'everything' }
  /** `isQueueFull`: the sender has found the server's queue more than half full. */
  | { readonly kind: 'ping'; readonly nonce: string; readonly isQueueFull: boolean }
  | null;

type Reader = (payload: string | undefined) => Heard;

/** The limit of PostgreSQL: what is longer did not come from one. */
export const longestHeard = 8000;
const isoTime = /^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** A reader for the notes of one install. */
export function noteReader(names: ChannelNames): (channel: string, payload: string | undefined) => Heard {
  const kinds = new Map<string, Reader>();
  for (const kind of Object.keys(names) as NoteKind[]) kinds.set(names[kind], readers[kind]);
  return (channel, payload) => kinds.get(channel)?.(payload) ?? null;
}

/** The same where it is known what the channel is for. */
export function readNote(kind: NoteKind, payload: string): Heard {
  return readers[kind](payload);
}

const readers: Readonly<Record<NoteKind, Reader>> = {
  workflow_resumable: json((field, value) => {
    const more = value('more');
    const one = {
      kind: 'workflow_resumable',
      instanceId: field('instance_id'),
      workflowName: field('workflow_name'),
    } as const;
    return Number.isSafeInteger(more) && Number(more) > 0 ? { ...one, more: Number(more) } : one;
  }),
  timer_expired: json((field) => ({
    kind: 'timer_expired',
    instanceId: field('instance_id'),
    timerId: field('timer_id'),
    expiresAt: timeOf(field('expires_at')),
  })),
  channel_message: json((field, value) => ({
    kind: 'channel_message',
    channelName: field('channel_name'),
    messageId: Number.isSafeInteger(value('message_id')) ? String(value('message_id')) : field('message_id'),
    // Left out and empty mean the same to programs that have no null.
    targetInstanceId: (value('target_instance_id') ?? '') === '' ? null : field('target_instance_id'),
  })),
  outbox_pending: json((field) => ({ kind: 'outbox_pending', eventId: field('event_id') })),
  workflow_finished: ofInstance('workflow_finished'),
  workflow_claimed: ofInstance('workflow_claimed'),
  worker_busy: json((field) => ({ kind: 'worker_busy', workerId: field('worker_id') })),
  everything: () => ({ kind: 'everything' }),
  ping: json((field, value) => ({ kind: 'ping', nonce: field('nonce'), isQueueFull: value('queue_full') === true })),
};

/** Thrown at whatever is not as it should be, and caught in the same place: made once, for a stack per forged note would cost. */
const malformed = new Error('malformed');

/** What stands under a key: a text, or else it is malformed; or anything, undefined where there is no such key. */
type Texts = (name: string) => string;
type Values = (name: string) => unknown;

function json(read: (field: Texts, value: Values) => Heard): Reader {
  return (payload) => {
    if (payload === undefined || payload.length > longestHeard || !isPlain(payload)) return null;
    try {
      const values: unknown = JSON.parse(payload);
      if (typeof values !== 'object' || values === null || Array.isArray(values)) return null;
      return read(
        (name) => textOf(ownOf(values, name)),
        (name) => ownOf(values, name),
      );
    } catch {
      return null;
    }
  };
}

/** The first, and one more for each id that stands beside it; what is none is left out. */
function ofInstance(kind: SharingKind): Reader {
  const named = (instanceId: string): Wakeup => ({ kind, instanceId });
  return json((field, value) => {
    const others = value('others');
    const first = named(field('instance_id'));
    return Array.isArray(others) ? { kind: 'several', wakeups: [first, ...others.filter(isText).map(named)] } : first;
  });
}

/** A key that is not there is not found in the prototype either. */
function ownOf(values: object, name: string): unknown {
  return Object.hasOwn(values, name) ? (values as Readonly<Record<string, unknown>>)[name] : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function textOf(value: unknown): string {
  if (!isText(value)) throw malformed;
  return value;
}

function timeOf(text: string): number {
  const time = isoTime.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw malformed;
  return time;
}
