// Events on their way out: what is sent, and what becomes of it.

/**
 * - `pending`: to be sent, at once or from its due time on.
 * - `sending`: a relayer has it.
 * - `sent`: the sender said so.
 * - `failed`: every attempt failed; kept, and left alone until somebody requeues it.
 * - `invalid`: the receiver refused it for good; kept like a failed one.
 */
export type OutboxStatus = 'pending' | 'sending' | 'sent' | 'failed' | 'invalid';

export const outboxStatuses: readonly OutboxStatus[] = ['pending', 'sending', 'sent', 'failed', 'invalid'];

/** An event as a sender gets it; attributes after CloudEvents 1.0.2. */
export interface OutgoingEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string | undefined;
  readonly time: Date;
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
  readonly data: unknown;
}

/** Events of one stream are sent one after the other, in the order in which they were written. Others do not wait for them. */
export function outboxStream(event: { readonly source: string; readonly subject: string | undefined }): string {
  return JSON.stringify([event.source, event.subject ?? null]);
}

/** The subject of the events of such a stream. */
export function subjectOfStream(stream: string): string | undefined {
  const [, subject] = JSON.parse(stream) as [string, string | null];
  return subject ?? undefined;
}
