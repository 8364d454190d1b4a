// An event on its way out, as an outbox has it.

/** By shape: what an outbox hands to its relayer fits. */
export interface OutgoingEvent {
  /** With `source`, the identity of the event; the same at every attempt. */
  readonly id: string;
  /** Who says so; a URI reference. */
  readonly source: string;
  /** What happened, such as `order.paid`. */
  readonly type: string;
  readonly subject?: string | undefined;
  /** When it happened; a text is a timestamp of RFC 3339. */
  readonly time?: Date | string | undefined;
  /** A Uint8Array or ArrayBuffer goes as bytes, a text of another content type than JSON as text, all else as JSON.stringify writes it. */
  readonly data?: unknown;
  /** Default: what `extensions` have under that name, else `application/json`, and none for bytes. */
  readonly datacontenttype?: string | undefined;
  /** Names have a to z and 0 to 9 only. A number that is no integer of 32 bits goes as text: CloudEvents has no other numbers. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>> | undefined;
}
