// One statement as the driver's own `Query` would be, less what that does for a result: it is written in one piece, and no row is looked at.

/** As much of the driver's connection as is written to. */
export interface DirectConnection {
  readonly stream: { readonly writable?: boolean; write(bytes: Uint8Array): unknown };
  sendCopyFail?(reason: string): void;
}

/**
 * What `pg` calls a submittable, the way that pg-cursor and pg-query-stream take: the driver has its turn begin by `submit`, and tells it what the server
 * answers. It keeps the place in the driver's queue that any other statement would have.
 */
export class DirectStatement {
  readonly #bytes: Uint8Array;
  #state: 'waiting' | 'submitted' | 'answered' | 'withdrawn' = 'waiting';
  #answer: Error | null = null;
  #onAnswer: ((error: Error | null) => void) | undefined;
  /**
   * The driver puts its own around it, where it has a time limit; so do programs that watch what is asked, and those that find none here may take
   * it for something else.
   */
  callback: (error: Error | null) => void = () => undefined;

  /** @param bytes of the extended protocol, up to a Sync. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isSubmitted(): boolean {
    return this.#state !== 'waiting';
  }

  /** Calls once, at once if it is over: with null when it was done, or with what the server or the driver said. */
  whenAnswered(callback: (error: Error | null) => void): void {
    if (this.#state === 'answered') callback(this.#answer);
    else this.#onAnswer = callback;
  }

  /** It is not to be sent any more, whatever the driver does with it. */
  withdraw(): void {
    this.#state = 'withdrawn';
  }

  submit({ stream }: DirectConnection): Error | null {
    if (this.#state !== 'waiting') return new Error('the statement was withdrawn');
    this.#state = 'submitted';
    // A socket that takes nothing any more says so by its end.
    if (stream.writable !== false) stream.write(this.#bytes);
    return null;
  }

  handleReadyForQuery(): void {
    this.#answered(null);
  }

  /** The driver forgets it with this; the server's word that it is ready is for nobody. */
  handleError(error: Error): void {
    this.#answered(error);
  }

  handleRowDescription(): void {
    // None was asked for.
  }

  handleDataRow(): void {
    // How many notes there are is known.
  }

  handleCommandComplete(): void {
    // What follows says that it is committed, too.
  }

  handlePortalSuspended(): void {
    // Never: all rows are asked for.
  }

  handleEmptyQuery(): void {
    // What follows ends it.
  }

  handleCopyInResponse(connection: DirectConnection): void {
    connection.sendCopyFail?.('nothing to copy');
  }

  handleCopyData(): void {
    // Nobody's.
  }

  #answered(error: Error | null): void {
    if (this.#state === 'answered') return;
    this.#state = 'answered';
    this.#answer = error;
    this.callback(error);
    this.#onAnswer?.(error);
  }
}
