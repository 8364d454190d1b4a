// Shows each fault that the proxy can make, as a client of a real server sees it.
import { once } from 'node:events';
import { connect } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterwards } from './afterwards.js';
import { createDatabase } from './create-database.js';
import { eventually } from './eventually.js';
import { readNotification, writeNotification } from './postgres-frames.js';
import type { ProxiedConnection } from './proxied-connection.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

let proxy: TcpProxy;
let direct: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  proxy = await startTcpProxy(url);
  direct = new pg.Client({ connectionString: url });
  await direct.connect();
});

afterEach(() => direct.end());

/** A client that leads through the proxy, and the proxy's side of it. */
async function proxied(name = 'client'): Promise<{ client: pg.Client; connection: ProxiedConnection; ended: Promise<unknown> }> {
  const client = new pg.Client({ connectionString: proxy.url, application_name: name });
  client.on('error', () => undefined);
  const ended = new Promise((resolve) => client.once('end', resolve));
  await client.connect();
  afterwards(() => proxy.cutAll());
  const connection = proxy.named(new RegExp(`^${name}$`))[0];
  if (connection === undefined) throw new Error(`No connection says that it is ${name}`);
  return { client, connection, ended };
}

/** What a client that listens on `channel` hears. */
async function listen(client: pg.Client, channel: string): Promise<(string | undefined)[]> {
  const heard: (string | undefined)[] = [];
  client.on('notification', ({ payload }) => heard.push(payload));
  await client.query(`LISTEN ${channel}`);
  return heard;
}

describe('what passes', () => {
  it('comes whole, in both directions, also when it is large', async () => {
    const { client } = await proxied();
    const text = 'x'.repeat(5_000_000);
    const { rows } = await client.query<{ text: string }>('SELECT $1::text AS text', [text]);
    expect(rows[0]?.text === text).toBe(true);
    await client.end();
    await eventually(() => proxy.connections.length === 0);
  });

  it('comes late, in its order, and what comes in time afterwards does not overtake it', async () => {
    const { client, connection } = await proxied();
    connection.toClient.delayMs = 200;
    const start = performance.now();
    const late = client.query('SELECT 1');
    await eventually(async () => {
      const { rows } = await direct.query(`SELECT FROM pg_stat_activity WHERE query = 'SELECT 1' AND state = 'idle'`);
      return rows.length === 1;
    });
    connection.toClient.delayMs = 0;
    await Promise.all([late, client.query('SELECT 2')]);
    expect(performance.now() - start).toBeGreaterThan(195);
  });

  it('is kept back until it may go on', async () => {
    const { client, connection } = await proxied();
    const heard = await listen(client, 'news');
    connection.toClient.mode = 'hold';
    let kept = 0;
    connection.onFrame = ({ kind }) => {
      if (kind === 'A') kept++;
      return 'pass';
    };
    await direct.query(`NOTIFY news, 'one'`);
    await direct.query(`NOTIFY news, 'two'`);
    await eventually(() => kept === 2);
    // As long as they would take to be heard, and longer.
    await direct.query('SELECT 1');
    expect(heard).toEqual([]);
    connection.toClient.mode = 'pass';
    await eventually(() => heard.length === 2);
    expect(heard).toEqual(['one', 'two']);
  });
});

describe('what is lost', () => {
  it('is lost without an end: neither side hears that the other one is gone', async () => {
    const { client, connection, ended } = await proxied('half-open');
    connection.toClient.mode = connection.toServer.mode = 'drop';
    await direct.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'half-open'`);
    const answer = client.query('SELECT 1').then(
      () => 'answered',
      () => 'failed',
    );
    expect(await Promise.race([answer, ended.then(() => 'ended'), proxied('other').then(() => 'nothing')])).toBe('nothing');
    connection.cut();
    await ended;
    expect(await answer).toBe('failed');
  });

  it('can be one kind of message alone', async () => {
    const { client, connection } = await proxied();
    const heard = await listen(client, 'news');
    connection.onFrame = ({ kind }) => (kind === 'A' ? 'drop' : 'pass');
    await direct.query(`NOTIFY news, 'dropped'`);
    await client.query('SELECT 1');
    connection.onFrame = () => 'pass';
    await direct.query(`NOTIFY news, 'passed'`);
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['passed']);
  });
});

describe('what is changed', () => {
  it('comes twice, in another order, or was never said', async () => {
    const { client, connection } = await proxied();
    const heard = await listen(client, 'news');
    const kept: Buffer[] = [];
    connection.onFrame = (frame) => {
      const note = readNotification(frame);
      if (note === undefined) return 'pass';
      kept.push(frame.bytes);
      return note.payload === 'three' ? [...kept.reverse(), frame.bytes] : 'drop';
    };
    for (const word of ['one', 'two', 'three']) await direct.query(`SELECT pg_notify('news', $1)`, [word]);
    await eventually(() => heard.length === 4);
    connection.inject(writeNotification({ pid: 1, channel: 'news', payload: 'forged' }));
    await eventually(() => heard.includes('forged'));
    expect(heard).toEqual(['three', 'two', 'one', 'three', 'forged']);
  });
});

describe('what ends', () => {
  it('ends in the middle of a message', async () => {
    const { client, connection, ended } = await proxied();
    connection.onFrame = ({ kind }) => (kind === 'D' ? 'cut in the middle' : 'pass');
    await expect(client.query('SELECT 1')).rejects.toThrow();
    await ended;
    await connection.closed;
  });

  it('is reset at any stage of connecting', async () => {
    const trials: [string, (connection: ProxiedConnection) => void][] = [
      ['startup', (connection) => connection.reset()],
      ['authentication', (connection) => (connection.onFrame = ({ kind }) => (kind === 'R' ? 'reset' : 'pass'))],
      ['ready', (connection) => (connection.onFrame = ({ kind }) => (kind === 'Z' ? 'reset' : 'pass'))],
    ];
    for (const [stage, treat] of trials) {
      proxy.onStartup = treat;
      await expect(proxied(), stage).rejects.toThrow(/ECONNRESET|terminated/);
    }
    await proxy.admit('reset');
    await expect(proxied(), 'accept').rejects.toThrow(/ECONNRESET|EPIPE|terminated/);
    await proxy.admit('refuse');
    await expect(proxied(), 'refuse').rejects.toThrow(/ECONNREFUSED/);
    await proxy.admit('forward');
    proxy.onStartup = () => undefined;
    await (await proxied()).client.end();
    expect(proxy.accepted).toBe(5);
  });

  it('does not even begin in a black hole', async () => {
    await proxy.admit('black hole');
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    await once(socket, 'connect');
    // Whether it is told of the cut as an error or as an end is the network's business.
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    socket.on('error', () => undefined).end('anybody there?');
    await eventually(() => proxy.accepted === 1);
    const heard = await Promise.race([closed.then(() => 'closed'), direct.query('SELECT 1').then(() => 'nothing')]);
    expect([heard, proxy.connections]).toEqual(['nothing', []]);
    proxy.cutAll();
    await closed;
  });
});
