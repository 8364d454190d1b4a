// One connection while it is out of the pool: statements with a deadline, and the knowledge whether it may go back.
import { StorageUnavailableError } from '@romancy/core/ports';
import type { PostgresClient, PostgresQuery, PostgresResult } from './postgres-pool.js';
import { ArrayParameter } from './array-parameter.js';
import { askPrepared, takesPrepared } from './ask-prepared.js';
import type { DriverClient } from './prepared-query.js';
import type { Row } from './row.js';
import type { Statement } from './sql.js';
import { leavesConnectionUsable } from './storage-error.js';

/** Leaves every value the text that the server sent, whatever parsers the process has set for all. */
const asText = { getTypeParser: () => (text: string) => text };

export class Connection {
  readonly client: PostgresClient;
  readonly #deadlineMs: number;
  readonly #onError: (error: Error) => void;
  #broken: Error | undefined;
  #released = false;

  /** @param deadlineMs a statement that is not answered by then fails, and the connection with it. */
  constructor(client: PostgresClient, deadlineMs: number) {
    this.client = client;
    this.#deadlineMs = deadlineMs;
    // The pool listens to idle clients only; without this, a connection that breaks between two statements would end the process.
    this.#onError = (error) => (this.#broken ??= error);
    client.on('error', this.#onError);
  }

  /**
   * Sends one statement.
   * @param name under which the session is to keep it parsed. Without one it may go through any transaction pooler, and is planned for its
   * parameters.
   */
  async rows(statement: Statement, name?: string): Promise<readonly Row[]> {
    if (name !== undefined && takesPrepared(this.client)) return this.#prepared(this.client, name, statement);
    return this.#plain(statement, name);
  }

  async #plain(statement: Statement, name: string | undefined): Promise<readonly Row[]> {
    // Copied, since drivers take a list that they may change. What makes JSON of an object would send `{}`, which is a list without items: nothing
    // would be done, and nobody would be told.
    const values = statement.values.map((value) => (value instanceof ArrayParameter ? value.toText() : value));
    const query: PostgresQuery = { text: statement.text, values, rowMode: 'array', types: asText };
    return (await this.#send(name === undefined ? query : { ...query, name })).rows as readonly Row[];
  }

  /** Sends statements without parameters in one go. @returns the tag of the last one. */
  async script(text: string, deadlineMs = this.#deadlineMs): Promise<string> {
    const result: PostgresResult | readonly PostgresResult[] = await this.#send({ text }, deadlineMs);
    return (Array.isArray(result) ? (result as readonly PostgresResult[]).at(-1)! : result).command;
  }

  /** The connection is not to be used again by anybody. */
  spoil(reason: Error): void {
    this.#broken ??= reason;
  }

  /** Gives it back, or has it closed when it cannot be trusted. May come twice. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    // Ours goes only after the pool's own listener is back: a broken connection may still say so.
    if (this.#broken === undefined) this.client.release();
    else this.client.release(this.#broken);
    this.client.removeListener('error', this.#onError);
  }

  /** As `#send`, of a statement that the session keeps parsed: one promise, and no more of the driver than its messages. */
  #prepared(client: DriverClient, name: string, statement: Statement): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      const answered = (error: unknown, rows: readonly Row[]): void => {
        clearTimeout(timer);
        if (error === null || error === undefined) resolve(rows);
        else reject(this.#failed(error));
      };
      const timer = setTimeout(() => answered(this.#noAnswer(this.#deadlineMs), []), this.#deadlineMs);
      const untaken = (): void => {
        clearTimeout(timer);
        this.#plain(statement, name).then(resolve, reject);
      };
      askPrepared(client, { name, statement, answered, untaken });
    });
  }

  async #send(query: PostgresQuery, deadlineMs = this.#deadlineMs): Promise<PostgresResult> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#noAnswer(deadlineMs)), deadlineMs);
    });
    try {
      return await Promise.race([this.client.query(query), deadline]);
    } catch (error) {
      throw this.#failed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #noAnswer(deadlineMs: number): StorageUnavailableError {
    return new StorageUnavailableError(`no answer from the database within ${deadlineMs} ms`);
  }

  #failed(cause: unknown): Error {
    const error = cause instanceof Error ? cause : new Error(String(cause), { cause });
    // Past the deadline the answer may still come, to whoever asks next: such a connection is of no use.
    if (!leavesConnectionUsable(error)) this.spoil(error);
    return error;
  }
}
