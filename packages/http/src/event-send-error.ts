// Why an event could not be sent, and whether sending it again can help.

/** What a relayer needs to know of a failed attempt. */
export class EventSendError extends Error {
  readonly code = 'EVENT_SEND_FAILED';
  /**
   * True: the network, a timeout, a redirect, or an answer that may be another one later (408, 425, 429, 5xx). False: the event, or
   * how it is sent, is refused, and will be each time.
   */
  readonly retryable: boolean;
  /** Of the answer; undefined: there was none. */
  readonly status: number | undefined;
  /** What the answer asks to wait before the next attempt, in milliseconds; undefined: it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    fields: {
      readonly retryable: boolean;
      readonly status?: number;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.name = 'EventSendError';
    this.retryable = fields.retryable;
    this.status = fields.status;
    this.retryAfterMs = fields.retryAfterMs;
  }
}
