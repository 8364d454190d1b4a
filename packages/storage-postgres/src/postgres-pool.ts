// The few members of `pg`'s pool and client that are used, so that a pool of the user fits by shape.

/** One query as it is handed to the driver. */
export interface PostgresQuery {
  readonly text: string;
  /** The session is to keep it parsed under this name. */
  readonly name?: string;
  /** Left out: the simple protocol, in which the text may hold several statements. */
  readonly values?: unknown[];
  /** Rows as lists of columns. */
  readonly rowMode?: 'array';
  /** Replaces the parsers of the driver, which are global and may have been changed. */
  readonly types?: { getTypeParser(): (text: string) => unknown };
}

export interface PostgresResult {
  readonly rows: readonly unknown[];
  /** The tag of the last command, such as `COMMIT`. */
  readonly command: string;
}

/**
 * A connection that was taken from the pool. One of `pg` whose `query` is the driver's own is also given queries that send themselves, as it takes them
 * from `pg-cursor`: see `PreparedQuery`.
 */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
  /** With an error or true: the connection is thrown away instead of being used again. */
  release(error?: Error | boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** What `createPostgresStorage({ pool })` takes: a `Pool` of `pg`, or anything that behaves like it in these members. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Every connection as soon as it is made. A pool that never says so may have one of them end the process: see `Database`. */
  on(event: 'connect', listener: (client: PostgresClient) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'connect', listener: (client: PostgresClient) => void): unknown;
  /** Where it is known, how many connections there are and where they lead; no password is read. */
  readonly options?: {
    readonly max?: number | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly database?: string | undefined;
    readonly connectionString?: string | undefined;
  };
}
