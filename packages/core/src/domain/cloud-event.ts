// Events: the attributes of CloudEvents 1.0 that Romancy reads, and what a workflow receives.

/**
 * What is sent from outside, after CloudEvents 1.0.2 (https://github.com/cloudevents/spec). A member of any other name is refused: `@romancy/http` reads events as
 * they come over the wire.
 */
export interface CloudEventInput {
  /** With `source`, the identity of the event: the same pair again has no second effect. Default: a new UUID. */
  readonly id?: string;
  /** What happened, such as `payment.completed`; `waitEvent` waits for a type. */
  readonly type: string;
  /** Who says so; a URI reference. */
  readonly source: string;
  readonly subject?: string;
  /** When it happened. Default: now, by the sender's clock. */
  readonly time?: Date | string;
  readonly data?: unknown;
  /** `1.0`: there is no other that is understood. Default: that. */
  readonly specversion?: string;
  /** What the data is; what is not `application/json` stands among the extensions of the event that is received or sent. */
  readonly datacontenttype?: string;
  /** What the data follows; stands among the extensions likewise. */
  readonly dataschema?: string;
  /** Extension attributes; their names have a to z and 0 to 9 only. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>;
  /**
   * The one instance that this event is for. It reaches that one alone, and is kept for it when it does not wait yet.
   * Default: every instance that waits for the type, or has waited for it before.
   */
  readonly instanceId?: string;
}

/** What `waitEvent` gives. */
export interface ReceivedEvent<TData = unknown> {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string | undefined;
  readonly time: Date;
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
  readonly data: TData;
}
