// One worker process behind a network that is cut: its storage and its notifier at once, while all else goes on.
import { createDatabase, eventually, type FlowMode, startTcpProxy, type TcpProxy } from '@romancy/test-support';
import { expect } from 'vitest';
import { openLedger, type Ledger } from './ledger.js';
import { healthyApp, type StartedApp } from './start-app.js';
import { startWorker, type WorkerProcess } from './worker-process.js';

export interface CutWorker {
  /** Not disturbed. */
  readonly url: string;
  readonly ledger: Ledger;
  /** Starts work and runs none; not disturbed. */
  readonly from: StartedApp;
  readonly worker: WorkerProcess;
  /**
   * No byte goes either way any more, and nobody says so; who connects hears nothing. `hold`: what is on its way arrives after the network has
   * healed, as TCP does it. `drop`: it never does, as where something in between has forgotten the connections.
   */
  cut(mode: Exclude<FlowMode, 'pass'>): void;
  heal(): void;
}

export async function workerBehindNetwork(leaseDuration: number): Promise<CutWorker> {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const proxy = await startTcpProxy(url);
  const from = await healthyApp({ url, workflows: [] });
  const worker = await startWorker({ url: proxy.url, notifyUrl: proxy.url, leaseDuration, statementTimeout: 1000 });
  return { url, ledger, from, worker, cut: (mode) => flow(proxy, mode), heal: () => heal(proxy) };
}

function flow(proxy: TcpProxy, mode: FlowMode): void {
  proxy.onStartup = ({ toClient, toServer }) => void (toClient.mode = toServer.mode = mode);
  for (const connection of proxy.connections) proxy.onStartup(connection);
}

/** What was dropped stays dead. */
function heal(proxy: TcpProxy): void {
  proxy.onStartup = () => undefined;
  for (const { toClient, toServer } of proxy.connections) {
    for (const direction of [toClient, toServer]) if (direction.mode === 'hold') direction.mode = 'pass';
  }
}

/** The workers by whom instances are owned. */
export async function owners(ledger: Ledger): Promise<readonly string[]> {
  const rows = await ledger.query<{ owner: string }>(
    'SELECT DISTINCT owner FROM romancy.instances WHERE owner IS NOT NULL ORDER BY 1',
  );
  return rows.map(({ owner }) => owner);
}

/**
 * All that is started from here on is done by the worker that was cut off, the only one that is left.
 * @param dead the identity under which it was declared dead, and which it must not have any more; null: it was not.
 */
export async function joinsAgain({ ledger, from, worker }: CutWorker, dead: string | null): Promise<void> {
  await eventually(async () => (await worker.status()).state === 'healthy', { timeout: 20_000 });
  await ledger.start(from.romancy, 10, { pauseMs: 0, workMs: 200 });
  await eventually(async () => (await owners(ledger)).length > 0, { timeout: 20_000 });
  if (dead !== null) expect(await owners(ledger)).not.toContain(dead);
  await ledger.complete(20_000);
}
