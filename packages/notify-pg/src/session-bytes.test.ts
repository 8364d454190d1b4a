// Statements that go to the driver as bytes: they keep all that holds for others, and clients that take none get them as others.
import { EventEmitter } from 'node:events';
import { ManualClock, settleTurns } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, serverError } from '../test/fake-client.js';
import type { DirectStatement } from './direct-statement.js';
import { keptStatement } from './kept-statement.js';
import type { PgQuery } from './pg-client.js';
import { Session, SessionLostError } from './session.js';

/** Of the shape of the driver's own. */
class DirectClient extends FakeClient {
  /** What was written to its socket. */
  readonly written: Buffer[] = [];
  /** The very bytes, which a socket that takes no more keeps. */
  readonly handed: Uint8Array[] = [];
  readonly submitted: DirectStatement[] = [];
  /** What the driver reads of its socket. */
  readonly read: Buffer[] = [];
  readonly socket = new EventEmitter();
  /** Before this, statements wait in the driver's queue. */
  isReady = true;

  constructor() {
    super();
    this.socket.on('data', (chunk: Buffer) => this.read.push(chunk));
    Object.assign(this.connection, { sendCopyFail: () => undefined });
    Object.assign(this.connection.stream, {
      write: (bytes: Uint8Array) => {
        this.handed.push(bytes);
        this.written.push(Buffer.from(bytes));
      },
      rawListeners: (event: string) => this.socket.rawListeners(event),
      on: (event: string, listener: () => void) => this.socket.on(event, listener),
      off: (event: string, listener: () => void) => this.socket.off(event, listener),
    });
  }

  override query(query: PgQuery | DirectStatement): Promise<{ rows: readonly unknown[] }> {
    if (!('submit' in query)) return super.query(query);
    this.submitted.push(query);
    if (this.isReady) query.submit(this.connection as never);
    return query as never;
  }
}

const kept = keptStatement({ name: 'told', text: 'SELECT $1, $2', parameters: 2 }, ['c']);
const parsing = (bytes: Buffer | undefined): boolean => bytes!.includes(kept.text);
let clock: ManualClock;
let client: DirectClient;
let session: Session;
let lost: Error[];

beforeEach(() => {
  clock = new ManualClock();
  client = new DirectClient();
  session = new Session(client, { clock, deadlineMs: 3000 });
  lost = [];
  session.whenLost((error) => lost.push(error));
});

const execute = (value = 'p'): Promise<unknown> => session.execute(kept, [value]);
const answered = async (value?: string): Promise<void> => {
  const done = execute(value);
  client.submitted.at(-1)!.handleReadyForQuery();
  await done;
};

describe('a statement of bytes', () => {
  it('is on its way before anything else, and parsed once', async () => {
    const done = execute();
    expect([client.written.length, parsing(client.written[0])]).toEqual([1, true]);
    client.submitted[0]!.handleDataRow();
    client.submitted[0]!.handleCommandComplete();
    client.submitted[0]!.handleReadyForQuery();
    await done;
    await answered('q');
    expect([client.queries.length, client.written.length, parsing(client.written[1])]).toEqual([0, 2, false]);
    expect(client.written[1]!.includes('q')).toBe(true);
    expect([lost, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('that was refused leaves the session as it is, and is parsed again', async () => {
    await answered();
    const refused = execute();
    client.submitted[1]!.handleError(serverError('54000'));
    await expect(refused).rejects.toMatchObject({ code: '54000' });
    client.submitted[1]!.handleReadyForQuery();
    await answered();
    expect(client.written.map(parsing)).toEqual([true, false, true]);
    expect([lost, clock.pendingTimers]).toEqual([[], 0]);
  });

  it.each([
    ['an administrator', serverError('57P01')],
    ['a broken connection', serverError('ECONNRESET')],
    ['a driver that has none', new Error('Client has encountered a connection error and is not queryable')],
  ])('ends the session after %s', async (_what, error) => {
    const ended = execute();
    client.submitted[0]!.handleError(error);
    await expect(ended).rejects.toBeInstanceOf(SessionLostError);
    await expect(execute()).rejects.toBeInstanceOf(SessionLostError);
    expect([lost.length, client.isDestroyed, client.written.length, clock.pendingTimers]).toEqual([1, true, 1, 0]);
  });

  it('that is not answered ends the session', async () => {
    const waiting = Promise.allSettled([execute(), execute()]);
    await clock.advance('3s');
    for (const outcome of await waiting) expect(outcome).toMatchObject({ reason: expect.any(SessionLostError) as unknown });
    expect([lost.length, client.isDestroyed, clock.pendingTimers]).toEqual([1, true, 0]);
  });

  it('fails with a session that ends while it waits, also when its client throws', async () => {
    const waiting = execute();
    session.destroy(new Error('cut'));
    await expect(waiting).rejects.toBeInstanceOf(SessionLostError);
    client = new DirectClient();
    session = new Session(client, { clock, deadlineMs: 3000 });
    client.query = () => {
      throw new Error('not connected');
    };
    await expect(execute()).rejects.toBeInstanceOf(SessionLostError);
    await settleTurns(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not write over what another one may still have to send', async () => {
    client.isReady = false;
    const both = [execute('first'), execute('second')];
    for (const statement of client.submitted) statement.submit(client.connection as never);
    expect(client.written.map((bytes) => ['first', 'second'].filter((value) => bytes.includes(value)))).toEqual([
      ['first'],
      ['second'],
    ]);
    for (const statement of client.submitted) statement.handleReadyForQuery();
    await Promise.all(both);
  });

  it('does not write over what a server that has refused it may still have to read', async () => {
    const refused = execute('first');
    const bytes = client.handed[0]!;
    const before = Buffer.from(bytes);
    client.submitted[0]!.handleError(serverError('57014'));
    await expect(refused).rejects.toMatchObject({ code: '57014' });
    const second = execute('other');
    expect(Buffer.compare(bytes, before)).toBe(0);
    client.submitted[1]!.handleReadyForQuery();
    await second;
    await answered('third');
    // What was answered is written over.
    expect(client.handed[2]!.buffer).toBe(client.handed[1]!.buffer);
  });

  it('lets the driver read no more of a plain answer than its end, and everything else whole', async () => {
    const [bound, done, ready] = ['2\0\0\0\u0004', 'C\0\0\0\u000dSELECT 1\0', 'Z\0\0\0\u0005I'].map((text) => Buffer.from(text));
    const plain = Buffer.concat([bound!, done!, ready!]);
    client.socket.emit('data', plain);
    const waiting = execute();
    client.socket.emit('data', plain);
    client.socket.emit('data', bound);
    expect(client.read).toEqual([plain, ready, bound]);
    client.submitted[0]!.handleReadyForQuery();
    await waiting;
    client.socket.emit('data', plain);
    expect(client.read.at(-1)).toEqual(plain);
  });

  it('has what the driver waits for told once, also where that has a time limit of its own', async () => {
    const told: unknown[] = [];
    const waiting = execute();
    const [statement] = client.submitted;
    statement!.callback = (error) => told.push(error);
    statement!.handleReadyForQuery();
    statement!.handleError(new Error('Query read timeout'));
    await waiting;
    expect([told, lost]).toEqual([[null], []]);
  });
});

describe('a client', () => {
  const asked = (): unknown => client.queries.map(({ text, name, values }) => [text, name, values]);
  const once = [[kept.text, 'told', ['c', 'p']]];

  it.each([
    ['without a socket that can be written to', { connection: undefined }],
    ['of another shape', { connection: { stream: { destroy: () => undefined, write: () => undefined } } }],
    ['that writes on before answers come', { pipeline: true }],
  ])('%s gets statements as others', async (_what, shape) => {
    Object.assign(client, shape);
    session = new Session(client, { clock, deadlineMs: 3000 });
    await execute();
    expect([asked(), client.written]).toEqual([once, []]);
  });

  it.each([
    ['copies', (query: object) => client.query({ ...query } as PgQuery)],
    ['refuses', () => Promise.reject(new Error('what is that?'))],
    ['refuses at once', () => undefined as never],
    ['cannot read', (query: object) => (query as { readonly text: string }).text.trim() as never],
  ])('that %s what is not as it knows it gets them as others from then on', async (_what, handed) => {
    const query = client.query.bind(client);
    client.query = (one) => ('submit' in one ? handed(one) : query(one));
    client.answers = _what === 'copies' ? [new Error('neither text nor name'), []] : [];
    await execute();
    await execute();
    const withText = client.queries.filter(({ text }) => (text as string | undefined) !== undefined);
    expect(withText.map(({ text, name, values }) => [text, name, values])).toEqual([...once, ...once]);
    expect([client.written, lost]).toEqual([[], []]);
  });

  it('that looks into what the driver has to do next, and puts its own around what ends it, is told of that', async () => {
    const told: unknown[] = [];
    const query = client.query.bind(client);
    client.query = (one) => {
      const taken = query(one);
      if (!('submit' in one)) return taken;
      const { callback } = one;
      one.callback = (error) => {
        told.push(error);
        callback(error);
      };
      return taken;
    };
    await answered();
    expect([told, client.written.length, lost]).toEqual([[null], 1, []]);
  });

  it('that throws at what it has handed on already has it answered all the same', async () => {
    const query = client.query.bind(client);
    client.query = (one) => {
      void query(one);
      throw new TypeError('then is not a function');
    };
    await answered();
    expect([client.queries, client.written.length, lost]).toEqual([[], 1, []]);
  });

  it('that hands it on only later sends nothing twice', async () => {
    const query = client.query.bind(client);
    let later: () => unknown = () => undefined;
    client.query = (one) => {
      if (!('submit' in one)) return query(one);
      later = () => one.submit(client.connection as never);
      return new Promise(() => undefined);
    };
    await execute();
    expect(later()).toBeInstanceOf(Error);
    expect([asked(), client.written]).toEqual([once, []]);
  });
});
