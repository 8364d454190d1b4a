// A hundred thousand sleepers (ROMANCY_SOAK_SLEEPERS says how many) that become due within a minute: no claim costs more than the one before,
// and memory stays as it is.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { environmentNumber } from '@romancy/core/conformance';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { afterwards, collectGarbage, eventually, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';

const sleepers = environmentNumber('ROMANCY_SOAK_SLEEPERS', { byDefault: 100_000, least: 1000 });
const windowMs = sleepers * 0.6;
/** What it takes to start them and put them to sleep, with some to spare. */
const preparationMs = 5000 + sleepers * 0.8;
const parts = 6;

/** What one part of the window came to. */
interface Part {
  readonly woken: number;
  readonly claims: number;
  readonly cpuMs: number;
  readonly heapMb: number;
  readonly loopDelayMs: number;
  /** Median, of those that woke up in it. */
  readonly lateMs: number;
}

it('wake up at their times, at the same cost from the first to the last', async () => {
  const filename = await temporaryFile();
  let late: number[] = [];
  let woken = 0;
  const sleeper = defineWorkflow('sleeper', async (ctx, at: number) => {
    await ctx.sleepUntil(at);
    late.push(Date.now() - at);
    woken++;
  });
  const romancy = new Romancy({
    storage: createSqliteStorage({ filename, synchronous: 'normal' }),
    workflows: [sleeper],
    logger: silentLogger,
  });
  await romancy.start();
  afterwards(() => romancy.stop({ timeout: 1000 }));

  const begins = Date.now() + preparationMs;
  const orders = Array.from({ length: sleepers }, (_, index) => ({ input: Math.round(begins + (index * windowMs) / sleepers) }));
  const results = await romancy.startMany(sleeper, orders);
  expect(results.every(({ outcome }) => outcome === 'started')).toBe(true);
  const database = new Database(filename, { readonly: true });
  afterwards(() => void database.close());
  const countOf = database.prepare('SELECT count(*) FROM romancy_instances WHERE status = ?').pluck();
  await eventually(() => countOf.get('waiting_for_timer') === sleepers, { timeout: preparationMs });
  expect(Date.now(), 'this machine needs more time to prepare').toBeLessThan(begins);
  expect(romancy.status().running).toBe(0);

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const told: Part[] = [];
  await new Promise((resolve) => setTimeout(resolve, begins - Date.now()));
  for (let part = 1; part <= parts; part++) {
    const [before, claims, cpu] = [woken, romancy.status().claims, process.cpuUsage()];
    delay.reset();
    await new Promise((resolve) => setTimeout(resolve, begins + (part * windowMs) / parts - Date.now()));
    const used = process.cpuUsage(cpu);
    const loopDelayMs = delay.percentile(99) / 1e6;
    collectGarbage();
    const sorted = late.sort((a, b) => a - b);
    told.push({
      woken: woken - before,
      claims: romancy.status().claims - claims,
      cpuMs: (used.user + used.system) / 1000,
      heapMb: process.memoryUsage().heapUsed / 1e6,
      loopDelayMs,
      lateMs: sorted[sorted.length >> 1] ?? Number.NaN,
    });
    late = [];
  }
  console.table(told);
  await eventually(() => countOf.get('completed') === sleepers, { timeout: windowMs });
  expect(woken).toBe(sleepers);

  const [first, last] = [told[1]!, told.at(-1)!];
  // Some in the first part, and the last, are on their way; the claims for each, and what they cost, are the same.
  expect(last.claims / last.woken).toBeLessThan((1.5 * first.claims) / first.woken);
  expect(last.cpuMs / last.woken).toBeLessThan((1.5 * first.cpuMs) / first.woken);
  expect(last.heapMb - first.heapMb).toBeLessThan(10);
  expect(last.lateMs).toBeLessThan(first.lateMs + 250);
});
