// Every measurement runs to its end on SQLite and tells plausible numbers; how large they are is not for a test to say.
import { expect, test } from 'vitest';
import { temporaryDirectory } from '@romancy/test-support';
import { isReached, type Effort, type Measurement } from '../src/measurement.js';
import { history } from '../src/measurements/history.js';
import { latency } from '../src/measurements/latency.js';
import { replay } from '../src/measurements/replay.js';
import { throughput } from '../src/measurements/throughput.js';
import { timers } from '../src/measurements/timers.js';
import { openSqlitePlace } from '../src/places/sqlite-place.js';
import { Turnstile } from '../src/turnstile.js';

const least: Effort = { rounds: 1, roundMs: 20, quick: true };

test.each<[Measurement, number]>([
  [throughput, 3],
  [latency, 2],
  [timers, 2],
  [history, 3],
  [replay, 2],
])('$name', { timeout: 60_000 }, async (measurement, rowCount) => {
  const place = await openSqlitePlace(await temporaryDirectory());
  try {
    const rows = await measurement.run(place, least);
    expect(rows).toHaveLength(rowCount);
    for (const row of rows) {
      expect(row.romancy).toBeGreaterThan(0);
      expect(row.raw).toBeGreaterThan(0);
      expect(row.ratio).toBeCloseTo(row.romancy / row.raw!);
      expect(isReached(row) === null).toBe(row.target === null);
    }
  } finally {
    await place.close();
  }
});

test('SQLite is measured with full durability', async () => {
  const place = await openSqlitePlace(await temporaryDirectory());
  expect((await place.describe()).join('\n')).toContain('journal_mode wal, synchronous FULL');
  await place.close();
});

test('a turnstile lets one through per opening', async () => {
  const turnstile = new Turnstile();
  const passed: number[] = [];
  const walk = (async () => {
    for (let count = 1; count <= 3; count++) {
      await turnstile.pass();
      passed.push(count);
    }
  })();
  await turnstile.arrival();
  expect(passed).toEqual([]);
  turnstile.open();
  await turnstile.arrival();
  expect(passed).toEqual([1]);
  turnstile.open();
  await turnstile.arrival();
  turnstile.open();
  await walk;
  expect(passed).toEqual([1, 2, 3]);
});
