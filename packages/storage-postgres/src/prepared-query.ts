// A statement that the session keeps parsed, said in the driver's own messages, without asking each time what its columns are.
import { StorageUnavailableError } from '@romancy/core/ports';
import { arrayLiteral } from './array-literal.js';
import { ArrayParameter } from './array-parameter.js';
import type { Row } from './row.js';
import type { SqlValue, Statement } from './sql.js';

/**
 * No word of the database about what the statement holds: its values are text and bytes already, and nothing in them can be at fault. So it passes, as
 * lack of memory in the server does; were it a refusal, instances would stall for it.
 */
class UnwrittenError extends StorageUnavailableError {
  constructor(cause: unknown) {
    super(`a statement could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Text, or bytes in the format of the database. */
type SentValue = string | Buffer | null;

/** What is needed of the driver's connection (`pg` 8): the messages of the extended protocol, and which statements its session has parsed. */
export interface DriverConnection {
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
  /** Sent to be parsed, and not answered yet. Older versions do not keep it. */
  readonly submittedNamedStatements?: Record<string, string | undefined>;
  readonly stream: { cork?(): void; uncork?(): void; destroy(error: Error): void };
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(call: { readonly statement: string; readonly values: readonly SentValue[] }): void;
  execute(): void;
  sync(): void;
  sendCopyFail(message: string): void;
}

/** A client of the driver, which takes queries that send themselves (as `pg-cursor` does). */
export interface DriverClient {
  readonly connection: DriverConnection;
  query(query: PreparedQuery): unknown;
}

/**
 * Whether it is a client of the driver as the driver made it. Who has put something of his own in the place of its `query` expects what is
 * documented there, and a client that sends ahead of the answers takes none that sends itself.
 */
export function isDriverClient(client: object): client is DriverClient {
  const { connection, query, pipeline } = client as { connection?: unknown; query?: unknown; pipeline?: unknown };
  const { parsedStatements, stream, ...messages } = messagesOf(connection);
  return (
    Boolean(pipeline) === false &&
    query === (Object.getPrototypeOf(client) as { query?: unknown } | null)?.query &&
    typeof parsedStatements === 'object' &&
    typeof stream === 'object' &&
    Object.values(messages).every((message) => typeof message === 'function')
  );
}

function messagesOf(connection: unknown): Readonly<Record<string, unknown>> {
  const { parsedStatements, stream, parse, bind, execute, sync } = (connection ?? {}) as Readonly<Record<string, unknown>>;
  return { parsedStatements, stream, parse, bind, execute, sync };
}

/**
 * The driver calls `submit` when it is the query's turn, and the handlers with what the server answers. It reads `name` and `text` to know what the
 * session has parsed, and may put another `callback` around the one that is there.
 */
export class PreparedQuery {
  readonly #name: string;
  readonly #text: string;
  readonly #values: readonly SentValue[];
  readonly #rows: Row[] = [];
  #state: 'waiting' | 'submitted' | 'withdrawn' = 'waiting';
  callback: (error: unknown, rows: readonly Row[]) => void;

  /** @param callback called once, with an error or with the rows. */
  constructor(name: string, { text, values }: Statement, callback: (error: unknown, rows: readonly Row[]) => void) {
    this.#name = name;
    this.#text = text;
    this.#values = values.map(asSent);
    this.callback = callback;
  }

  // None of the three is a member of its own: what somebody copies of it is no statement that could be done, with an answer of another shape.

  get name(): string {
    return this.#name;
  }

  get text(): string {
    return this.#text;
  }

  get values(): readonly SentValue[] {
    return this.#values;
  }

  get isSubmitted(): boolean {
    return this.#state === 'submitted';
  }

  /** It is not to be sent any more, whatever the driver does with it. */
  withdraw(): void {
    this.#state = 'withdrawn';
  }

  /** @returns why it cannot be sent; null: it is on its way. */
  submit(connection: DriverConnection): Error | null {
    if (this.#state !== 'waiting') return new Error('the statement was withdrawn');
    this.#state = 'submitted';
    const { name, text, values } = this;
    const { parsedStatements, submittedNamedStatements, stream } = connection;
    const parsed = parsedStatements[name] ?? submittedNamedStatements?.[name];
    if (parsed !== undefined && parsed !== text) return new Error(`the session has another statement under the name ${name}`);
    // All of it in one packet.
    stream.cork?.();
    try {
      if (parsed === undefined) {
        connection.parse({ name, text });
        if (submittedNamedStatements !== undefined) submittedNamedStatements[name] = text;
      }
      connection.bind({ statement: name, values });
      connection.execute();
      connection.sync();
    } catch (error) {
      // As for lack of memory. A part of it may be written, and cannot be taken back; and nobody would hear of it where the driver calls this, which
      // is as soon as it has read the answer to the query before. What is corked goes with the stream, so the server has seen none of it; of what went
      // out without a cork it undoes everything, since the message that ends the transaction comes last.
      const why = new UnwrittenError(error);
      stream.destroy(why);
      return why;
    } finally {
      stream.uncork?.();
    }
    return null;
  }

  handleRowDescription(): void {
    // Not asked for.
  }

  handleDataRow({ fields }: { readonly fields: Row }): void {
    this.#rows.push(fields);
  }

  handleCommandComplete(): void {
    // The answer is complete with ReadyForQuery: before that the transaction is not over.
  }

  handleEmptyQuery(): void {
    // Likewise.
  }

  handlePortalSuspended(): void {
    // Only with a limit of rows.
  }

  handleCopyInResponse(connection: DriverConnection): void {
    connection.sendCopyFail('this statement has nothing to copy');
    // The one before was read as part of what is copied, and not heeded.
    connection.sync();
  }

  handleCopyData(): void {
    // No statement of this library copies.
  }

  handleError(error: unknown): void {
    this.callback(error, []);
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#rows);
  }
}

function asSent(value: SqlValue): SentValue {
  if (value === null || typeof value === 'string') return value;
  if (value instanceof ArrayParameter) return value.toBytes();
  return typeof value === 'object' ? arrayLiteral(value, (item) => item) : String(value);
}
