// How values become JSON text in the database and values again.

/**
 * Every value that a workflow, an activity or an event hands over passes through the codec before anybody sees it, on the first
 * run as on replay, so that both look the same.
 */
export interface Codec {
  /**
   * The value as JSON text: valid JSON, without U+0000 and lone surrogates, in one line.
   * @throws PayloadNotSerializableError with the path of what cannot be written.
   */
  encode(value: unknown): string;
  /** The value again. Must take everything that `encode` ever made, by this version or an older one. */
  decode(text: string): unknown;
}
