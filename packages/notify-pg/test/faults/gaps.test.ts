// Work that is committed while nobody hears: the sweep finds it.
import { createDatabase, eventually, type ProxiedConnection, startTcpProxy, type TcpProxy } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { openLedger, type Ledger } from './ledger.js';
import { hardlyPolls, healthyApp, startApp, type StartedApp } from './start-app.js';

interface Gap {
  readonly ledger: Ledger;
  readonly proxy: TcpProxy;
  /** Finds nothing by polling; its notifier goes through the proxy. */
  readonly worker: StartedApp;
  /** Starts work without a word to anybody. */
  readonly silent: StartedApp;
}

async function openGap(): Promise<Gap> {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const proxy = await startTcpProxy(url);
  const silent = await startApp({ url, notifier: null, workflows: [], ...hardlyPolls });
  const worker = await healthyApp({ url, notifier: { connectionString: proxy.url }, ...hardlyPolls });
  return { ledger, proxy, worker, silent };
}

it('finds what is committed between the loss of a session and the next LISTEN', async () => {
  const { ledger, proxy, worker, silent } = await openGap();
  await proxy.admit('refuse');
  proxy.cutAll();
  await worker.is('connecting');
  await ledger.start(silent.romancy, 20);
  expect(await ledger.booked()).toBe(0);
  await proxy.admit('forward');
  await ledger.complete(3000);
  await worker.is('healthy');
});

it('finds what is committed between LISTEN and the sweep', async () => {
  const { ledger, proxy, worker, silent } = await openGap();
  const listening = new Promise<ProxiedConnection>((resolve) => {
    proxy.onStartup = (connection) => {
      if (!connection.startup.get('application_name')?.endsWith(':listening')) return;
      connection.onFrame = ({ kind, bytes }) => {
        // The server hears for it from here on; it learns of that later.
        if (kind === 'C' && bytes.includes('LISTEN') && connection.toClient.mode === 'pass') {
          connection.toClient.mode = 'hold';
          resolve(connection);
        }
        return 'pass';
      };
    };
  });
  for (const connection of proxy.named(/:listening$/)) connection.cut();
  const { toClient } = await listening;
  await ledger.start(silent.romancy, 20);
  expect(worker.states.at(-1)).toBe('connecting');
  toClient.mode = 'pass';
  await ledger.complete(3000);
  await eventually(() => worker.states.at(-1) === 'healthy');
});

it('finds what others said while the line was held, when it goes on: notes that come late still count', async () => {
  const { ledger, proxy, worker } = await openGap();
  const { url } = { url: proxy.url };
  const from = await healthyApp({ url, workflows: [], ...hardlyPolls });
  const [listening] = proxy.named(/:listening$/);
  listening!.toClient.mode = 'hold';
  await ledger.start(from.romancy, 5);
  listening!.toClient.mode = 'pass';
  await ledger.complete(3000);
  expect(worker.states.at(-1)).toBe('healthy');
});
