// The part of the storage port by which what nobody needs any more is removed.

/** What may go: everything that ended, was sent or was seen before that time (milliseconds since 1970); null: nothing of it. */
export interface RetentionRequest {
  /**
   * By status: instances with their history, ended before. What an instance was before it recurred is a row of its own with its own part of the
   * history: each goes by its own status and end.
   */
  readonly instances: Readonly<Record<'completed' | 'failed' | 'cancelled' | 'recurred', number | null>>;
  /** Sent events of the outbox. Failed ones stay until they are purged by hand. */
  readonly sentEvents: number | null;
  /** What makes a second delivery of the same event a duplicate. */
  readonly seenEvents: number | null;
  /** Messages queued on topics to which nobody is subscribed. */
  readonly queuedMessages: number | null;
  /** Of the messages queued on a topic to which nobody is subscribed, at most so many newest ones stay. */
  readonly mostQueued: number;
  /** At most so many rows of each kind; an instance's history counts as rows. At least one instance goes, however long its history is. */
  readonly limit: number;
}

export interface RetentionResult {
  /** How many of each went. */
  readonly instances: number;
  readonly sentEvents: number;
  readonly seenEvents: number;
  readonly queuedMessages: number;
  /** The limit was reached somewhere: ask again. */
  readonly more: boolean;
}

export interface RetentionStore {
  /** Each call is one short transaction or a few. Two at once do not wait for each other, and nobody else waits for them. */
  purge(request: RetentionRequest): Promise<RetentionResult>;
}
