// Options are checked at the call, and no password is ever shown.
import { describe, expect, it } from 'vitest';
import { createPgNotifier } from './create-pg-notifier.js';
import { resolveOptions, type PgNotifierOptions } from './pg-notifier-options.js';

const connectionString = 'postgres://user:secret@db.example:6432/shop?sslmode=require';
const connect = () => Promise.reject(new Error('not needed'));

describe('createPgNotifier', () => {
  it.each<readonly [string, object]>([
    ['connectionString', {}],
    ['connectionString', { connectionString, connect }],
    ['connectionString', { connectionString: '' }],
    ['connectionString', { connectionString: 7 }],
    ['connect', { connect: connectionString }],
    ['reconnectDelay', { connectionString, reconnectDelay: 9 }],
    ['reconnectDelay', { connectionString, reconnectDelay: '2h' }],
    ['reconnectDelay', { connectionString, reconnectDelay: 'soon' }],
    ['reconnectDelay', { connectionString, reconnectDelay: Number.NaN }],
    ['coalesceWindow', { connectionString, coalesceWindow: 4 }],
    ['coalesceWindow', { connectionString, coalesceWindow: '1m' }],
    ['pingInterval', { connectionString, pingInterval: '500ms' }],
    ['pingTimeout', { connectionString, pingTimeout: '1h' }],
    ['connectTimeout', { connectionString, connectTimeout: 0 }],
    ['channelPrefix', { connectionString, channelPrefix: '' }],
    ['channelPrefix', { connectionString, channelPrefix: 'p'.repeat(45) }],
    ['applicationName', { connectionString, applicationName: 'a'.repeat(54) }],
    ['prefix', { connectionString, prefix: 'x' }],
    ['', undefined as never],
  ])('names the wrong option: %s', (option, options) => {
    const create = (): unknown => createPgNotifier(options as PgNotifierOptions);
    expect(create).toThrowError(expect.objectContaining({ code: 'CONFIGURATION', option }) as Error);
    expect(create).not.toThrowError(/secret/);
  });

  it('has the defaults of the contract', () => {
    expect(resolveOptions({ connectionString })).toMatchObject({
      reconnectDelayMs: 60_000,
      channelPrefix: 'romancy',
      coalesceWindowMs: 5,
      pingIntervalMs: 15_000,
      pingTimeoutMs: 3000,
      applicationName: 'romancy-notify',
    });
    expect(resolveOptions({ connect, reconnectDelay: '1.5s', coalesceWindow: 20 })).toMatchObject({
      reconnectDelayMs: 1500,
      coalesceWindowMs: 20,
    });
  });

  it('connects to nothing before it is started, and may be stopped then', async () => {
    const notifier = createPgNotifier({ connect });
    expect(notifier.storageKinds).toEqual(['postgres']);
    expect([notifier.state, notifier.presence, notifier.status().state]).toEqual(['stopped', null, 'stopped']);
    notifier.send([{ kind: 'outbox_pending', eventId: 'e' }]);
    await notifier.stop();
    await notifier.stop();
  });
});
