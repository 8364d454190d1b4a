// The few members of `pg`'s client that are used, so that a client of the user fits by shape.

/** Which of the two sessions of a process a client is for. */
export type SessionRole = 'listening' | 'sending';

/** A statement as it is handed to the driver. */
export interface PgQuery {
  readonly text: string;
  /** The session is to keep it parsed under this name. */
  readonly name?: string;
  /** Left out: the simple protocol, in which the text may hold several statements. */
  readonly values?: unknown[];
  /** Rows as lists of columns. */
  readonly rowMode: 'array';
  /** Replaces the parsers of the driver, which are global and may have been changed. */
  readonly types: { getTypeParser(): (text: string) => unknown };
}

export interface PgResult {
  readonly rows: readonly unknown[];
}

export interface PgNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
  /** The server process that sent it. */
  readonly processId: number;
}

/** What the server says beside an answer. */
export interface PgNotice {
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
}

/** A socket, as far as it is used. */
export interface PgStream {
  destroy(error?: Error): unknown;
  unref?(): unknown;
  setKeepAlive?(enable: boolean, initialDelayMs: number): unknown;
  rawListeners?(event: 'data'): readonly unknown[];
  on?(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  off?(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  pause?(): unknown;
  resume?(): unknown;
}

/** What `createPgNotifier({ connect })` answers with: a connected `Client` of `pg`, or what behaves like it in these members. */
export interface PgClient {
  query(query: PgQuery): Promise<PgResult | readonly PgResult[]>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (notification: PgNotification) => void): unknown;
  on(event: 'notice', listener: (notice: PgNotice) => void): unknown;
  /** The server process, by the key that the server handed out; left out: not known, and sessions count as shared. */
  readonly processID?: number | null;
  /** Left out: a dead connection can only be ended politely, which may take the system's time. */
  readonly connection?: { readonly stream?: PgStream } | object;
}
