// A notifier that is degraded, in every way, costs latency and nothing else: the app is up, and does its work.
import { createDatabase, type FrameFate, startTcpProxy } from '@romancy/test-support';
import type { NotifierState } from '@romancy/core';
import { expect, it } from 'vitest';
import { openLedger } from './ledger.js';
import { startApp } from './start-app.js';

const noNotes = ({ kind }: { readonly kind: string }): FrameFate => (kind === 'A' ? 'drop' : 'pass');

it('leaves the app running, with its storage available, in each of its states', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const proxy = await startTcpProxy(url);
  await proxy.admit('refuse');
  const notifier = { connectionString: proxy.url };
  // Resolves though there is nobody to listen to.
  const { romancy, is } = await startApp({ url, notifier, workflowPollInterval: 100, timerPollInterval: 100 });
  const isReadyWhile = async (state: NotifierState): Promise<void> => {
    await is(state, 4000);
    await ledger.start(romancy, 5, { pauseMs: 5 });
    await ledger.complete();
    expect(romancy.status()).toMatchObject({ state: 'running', storageAvailable: true, notifier: { state } });
    expect(romancy.status().pollIntervalMs).toBe(state === 'healthy' ? 30_000 : 100);
  };
  await isReadyWhile('connecting');
  await proxy.admit('forward');
  await isReadyWhile('healthy');
  proxy.onStartup = (connection) => (connection.onFrame = noNotes);
  proxy.cutAll();
  await isReadyWhile('undeliverable');
  await proxy.admit('black hole');
  proxy.cutAll();
  await isReadyWhile('connecting');
});
