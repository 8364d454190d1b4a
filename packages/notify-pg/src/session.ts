// One session of the server while it lasts: statements with a deadline, notes, and one word at its end.
import type { Clock } from '@romancy/core/ports';
import { deadline } from './deadline.js';
import { DirectStatement, type DirectConnection } from './direct-statement.js';
import { guardStream } from './guarded-stream.js';
import { executing, type KeptStatement } from './kept-statement.js';
import { endOfPlainAnswer } from './plain-answer.js';
import type { PgClient, PgNotice, PgNotification, PgQuery, PgResult, PgStream } from './pg-client.js';

/** A row as the server wrote it: text or null, column by column. */
export type Row = readonly (string | null)[];

/** Leaves every value the text that the server sent, whatever parsers the process has set for all. */
const asText = { getTypeParser: () => (text: string) => text };

/** The session is gone: nothing that was asked of it can be known. */
export class SessionLostError extends Error {}

export interface Statement {
  readonly text: string;
  /** Left out: the simple protocol, in which the text may hold several statements. */
  readonly values?: readonly unknown[];
  /** Under which the session keeps it parsed. */
  readonly name?: string;
}

/**
 * Whether an error is more than a refusal: the server ends the session (an administrator, a shutdown, a timeout of its own), or the driver says
 * that there is none. What the server refuses has a code of five characters.
 */
function endsSession(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || /^(?:57P|08|25P03|25P04)/.test(code);
}

/** How long a socket is silent before the system asks whether the other side is there. */
const keepAliveMs = 15_000;

/** Room for a statement that sends one note or a few at first, up to this for a busy process: each flush would leave as much to be collected. */
const scratchBytes = 2048;
const mostScratchBytes = 262_144;

export class Session {
  readonly #client: PgClient;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  /** Statements that wait for their answer, by what ends their waiting. */
  readonly #waiting = new Set<(lost: Error) => void>();
  #lost: SessionLostError | undefined;
  #onLost: ((error: Error) => void) | undefined;
  #onNotification: (notification: PgNotification) => void = () => undefined;
  #onNotice: (notice: PgNotice) => void = () => undefined;
  /** Names of statements that are known to be parsed. */
  readonly #parsed = new Set<string>();
  /** Whether the client takes statements that are bytes. */
  #takesBytes: boolean;
  /** What was handed over last, until it is answered. */
  #direct: DirectStatement | null = null;
  /** What is written there was read by the server when it has said that all was done. */
  #scratch = Buffer.allocUnsafeSlow(scratchBytes);
  #sift: ((chunk: Uint8Array) => readonly Uint8Array[]) | undefined;

  /** @param deadlineMs a statement that is not answered by then destroys the session. */
  constructor(client: PgClient, { clock, deadlineMs }: { readonly clock: Clock; readonly deadlineMs: number }) {
    this.#client = client;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#takesBytes = takesBytes(client);
    // These stay for ever: a socket that was destroyed may still say so, and without a listener that would end the process.
    client.on('error', (error) => this.destroy(error));
    client.on('end', () => this.destroy(new Error('the server closed the connection')));
    client.on('notification', (notification) => this.#onNotification(notification));
    client.on('notice', (notice) => this.#onNotice(notice));
    // A session that waits for notes is no reason for a process to stay; whoever waits for one has a timer of his own.
    const stream = this.#stream;
    stream?.unref?.();
    stream?.setKeepAlive?.(true, keepAliveMs);
    if (stream !== undefined) {
      const sift = (chunk: Uint8Array): readonly Uint8Array[] => {
        if (this.#sift !== undefined) return this.#sift(chunk);
        return [(this.#direct?.isSubmitted === true ? endOfPlainAnswer(chunk) : null) ?? chunk];
      };
      guardStream(stream, { clock, onError: (error) => this.destroy(error), sift });
    }
  }

  /** The server process as the key of the connection names it; null: not known. */
  get processId(): number | null {
    return this.#client.processID ?? null;
  }

  /** Calls once when the session is lost, never before this returns, and never after `close`. */
  whenLost(callback: (error: Error) => void): void {
    const error = this.#lost;
    if (error === undefined) this.#onLost = callback;
    else queueMicrotask(() => callback(error));
  }

  onNotification(listener: (notification: PgNotification) => void): void {
    if (this.#lost === undefined) this.#onNotification = listener;
  }

  /**
   * Lets `sift` take out of what the server says what the driver need not read. Only while nothing is on its way: a message must begin with the next
   * byte. Without a socket that can be seen, it is not called.
   */
  sift(sift: (chunk: Uint8Array) => readonly Uint8Array[]): void {
    if (this.#lost === undefined) this.#sift = sift;
  }

  onNotice(listener: (notice: PgNotice) => void): void {
    if (this.#lost === undefined) this.#onNotice = listener;
  }

  /** @throws SessionLostError when the session is gone or does not answer; the server's error when it refused. */
  async query({ text, values, name }: Statement): Promise<readonly Row[]> {
    if (this.#lost !== undefined) throw this.#lost;
    const query: { -readonly [Key in keyof PgQuery]: PgQuery[Key] } = { text, rowMode: 'array', types: asText };
    if (name !== undefined) query.name = name;
    if (values !== undefined) query.values = [...values];
    let cancel: () => void = () => undefined;
    let lose: (lost: Error) => void = () => undefined;
    try {
      // On its way first: what follows takes its time while the server is at work.
      const asked = this.#client.query(query);
      // A client whose socket is destroyed under it may leave a statement without an answer for ever.
      const lost = new Promise<never>((_, reject) => (lose = reject));
      this.#waiting.add(lose);
      cancel = this.#untilDeadline();
      // Within the call itself, when nobody could be told yet.
      if (this.#lost !== undefined) lose(this.#lost);
      const answer = await Promise.race([asked, lost]);
      const result = Array.isArray(answer) ? (answer as readonly PgResult[]).at(-1)! : (answer as PgResult);
      return result.rows as readonly Row[];
    } catch (error) {
      // The server's last words come as the answer to whatever is being asked, and before the connection is closed.
      if (endsSession(error)) this.destroy(error instanceof Error ? error : new Error(String(error)));
      throw this.#lost ?? error;
    } finally {
      cancel();
      this.#waiting.delete(lose);
    }
  }

  /**
   * Has a statement done that this session alone is to know, in the shortest way there is: what can come after the write comes after it. What it answers
   * is not read. @throws as `query`.
   */
  execute(kept: KeptStatement, values: readonly string[]): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    if (!this.#takesBytes) return this.#ask(kept, values);
    const isParsed = this.#parsed.has(kept.name);
    const scratch = this.#direct === null ? this.#roomFor(kept, values) : null;
    const statement = new DirectStatement(executing(kept, values, { isParsed, scratch }));
    this.#direct = statement;
    let taken: unknown;
    try {
      taken = (this.#client as unknown as { query(statement: DirectStatement): unknown }).query(statement);
    } catch {
      // The driver's own throws at nothing that is given to it. Whether the statement is on its way is told by itself.
    }
    if (taken !== statement) {
      // Something stands before the driver's client: what comes of the statement is told to that itself.
      Promise.resolve(taken).catch(() => undefined);
      if (!statement.isSubmitted) {
        // One that makes something else of what it is given: as it knows them, then.
        statement.withdraw();
        this.#direct = null;
        this.#takesBytes = false;
        return this.#ask(kept, values);
      }
    }
    return new Promise<void>((resolve, reject) => {
      const cancel = this.#untilDeadline();
      const over = (error: Error | null): void => {
        cancel();
        this.#waiting.delete(over);
        if (this.#direct === statement) this.#direct = null;
        if (error === null) {
          this.#parsed.add(kept.name);
          resolve();
          return;
        }
        // Whatever it was, the next one makes sure that the server knows the statement.
        this.#parsed.delete(kept.name);
        // A server refuses as soon as it can: the rest of what was written may still wait for the socket to take it.
        this.#scratch = Buffer.allocUnsafeSlow(scratchBytes);
        if (endsSession(error)) this.destroy(error);
        reject(this.#lost ?? error);
      };
      this.#waiting.add(over);
      if (this.#lost !== undefined) over(this.#lost);
      statement.whenAnswered(over);
    });
  }

  /** Ends it at once, without a word to the server, who may not hear any more. */
  destroy(reason: Error): void {
    if (this.#lost !== undefined) return;
    const onLost = this.#onLost;
    this.#lose(new SessionLostError(reason.message, { cause: reason }));
    this.#destroyStream();
    onLost?.(reason);
  }

  /** Says goodbye; when the server has not closed the connection after `graceMs`, it is destroyed. Never rejects. */
  async close(graceMs: number): Promise<void> {
    if (this.#lost !== undefined) return;
    this.#lose(new SessionLostError('the session was closed'));
    await new Promise<void>((resolve) => {
      // Keeps the process alive: its socket does not, and whoever waits for this would wait for ever.
      const cancel = this.#clock.schedule(graceMs, resolve, { keepAlive: true });
      const closed = (): void => {
        cancel();
        resolve();
      };
      this.#client.on('end', closed);
      this.#end().then(closed, closed);
    });
    this.#destroyStream();
  }

  #roomFor({ parsing, head }: KeptStatement, values: readonly string[]): Buffer {
    let most = parsing.length + head.length + 64;
    for (const value of values) most += 4 + 3 * value.length;
    if (most > this.#scratch.length && most <= mostScratchBytes) {
      this.#scratch = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(most)));
    }
    return this.#scratch;
  }

  /** The same by the driver's own means. */
  #ask({ name, text, given }: KeptStatement, values: readonly string[]): Promise<unknown> {
    return this.query({ name, text, values: [...given, ...values] });
  }

  #untilDeadline(): () => void {
    return deadline(this.#clock, this.#deadlineMs, () =>
      this.destroy(new Error(`no answer from the server within ${this.#deadlineMs} ms`)),
    );
  }

  #lose(error: SessionLostError): void {
    this.#lost = error;
    this.#onLost = undefined;
    this.#sift = undefined;
    this.#onNotification = () => undefined;
    this.#onNotice = () => undefined;
    for (const lose of this.#waiting) lose(error);
  }

  #destroyStream(): void {
    const stream = this.#stream;
    if (stream === undefined) this.#end().catch(() => undefined);
    else stream.destroy();
  }

  /** A client of a user may throw here, or answer with no promise. */
  async #end(): Promise<void> {
    await this.#client.end();
  }

  get #stream(): PgStream | undefined {
    return (this.#client.connection as { readonly stream?: PgStream } | undefined)?.stream;
  }
}

/** By the shape of `pg`'s own client: others, and `pg` where it writes on before an answer came, get statements as everybody hands them over. */
function takesBytes(client: PgClient): boolean {
  const { connection, pipeline } = client as { readonly connection?: Partial<DirectConnection>; readonly pipeline?: unknown };
  return typeof connection?.stream?.write === 'function' && typeof connection.sendCopyFail === 'function' && pipeline !== true;
}
