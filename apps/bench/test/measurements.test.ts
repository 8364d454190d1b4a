// Every measurement runs to its end and tells plausible numbers, those of wake-ups on PostgreSQL; how large they are is not for a test to say.
import { dirname } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compileFixture, createDatabase, temporaryDirectory } from '@romancy/test-support';
import { isReached, type Effort, type Measurement } from '../src/measurement.js';
import { backlog } from '../src/measurements/backlog.js';
import { cancel } from '../src/measurements/cancel.js';
import { herd } from '../src/measurements/herd.js';
import { history } from '../src/measurements/history.js';
import { latency } from '../src/measurements/latency.js';
import { manyTimers } from '../src/measurements/many-timers.js';
import { messages } from '../src/measurements/messages.js';
import { noteRoundTrip } from '../src/measurements/note-round-trip.js';
import { notifiedIdle } from '../src/measurements/notified-idle.js';
import { reconnect } from '../src/measurements/reconnect.js';
import { replay } from '../src/measurements/replay.js';
import { msUntilFound, silentDrop } from '../src/measurements/silent-drop.js';
import { stop } from '../src/measurements/stop.js';
import { takeover } from '../src/measurements/takeover.js';
import { throughput } from '../src/measurements/throughput.js';
import { timers } from '../src/measurements/timers.js';
import { wakeUp } from '../src/measurements/wake-up.js';
import { workers } from '../src/measurements/workers.js';
import { writers } from '../src/measurements/writers.js';
import { openPostgresPlace } from '../src/places/postgres-place.js';
import { openSqlitePlace } from '../src/places/sqlite-place.js';
import { startProcessesFrom } from '../src/processes/start-process.js';
import { Turnstile } from '../src/turnstile.js';

const programs = ['event-worker', 'note-listener', 'order-worker', 'raw-event-worker', 'raw-note-listener', 'talking-worker'];

beforeAll(async () => {
  const [first, ...beside] = programs.map((name) => new URL(`../src/processes/${name}.ts`, import.meta.url));
  startProcessesFrom(dirname(await compileFixture(first!, { beside })));
});

const least: Effort = { rounds: 1, roundMs: 20, quick: true };

const usual = { timeout: 60_000 };
/** These give up where a timer is due before they are ready for it: on a machine that others keep busy, and that says nothing of them. */
const onQuietMachine = { ...usual, retry: 2 };

async function runsOnSqlite(measurement: Measurement, rowCount: number): Promise<void> {
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
}

test.each<[Measurement, number]>([
  [throughput, 3],
  [latency, 2],
  [cancel, 2],
  [messages, 3],
  [history, 6],
  [replay, 2],
])('$name', usual, runsOnSqlite);

test.each<[Measurement, number]>([[timers, 4]])('$name', onQuietMachine, runsOnSqlite);

async function runsOnPostgres(measurement: Measurement, rowCount: number, comparedCount: number): Promise<void> {
  const place = await openPostgresPlace((await createDatabase()).url);
  try {
    expect(measurement.isFor?.(place)).toBe(true);
    // What a commit costs the cores is there only where the server's processes can be seen.
    const rows = (await measurement.run(place, least)).filter(({ unit }) => unit !== 'µs of CPU');
    expect(rows).toHaveLength(rowCount);
    // How much longer than by hand something takes may be less than nothing.
    for (const { what, romancy } of rows) if (!what.startsWith('how much longer')) expect(romancy, what).toBeGreaterThan(0);
    const compared = rows.filter(({ raw }) => raw !== null);
    expect(compared).toHaveLength(comparedCount);
    for (const { raw } of compared) expect(raw).toBeGreaterThan(0);
  } finally {
    await place.close();
  }
}

// Not here: `notified-idle` looks on for 20 s at the least, and `silent-drop` waits for 18 s for the intervals of the default.
test.each<[Measurement, number, number]>([
  [noteRoundTrip, 3, 2],
  [wakeUp, 4, 2],
  [writers, 5, 2],
  [reconnect, 2, 1],
  [stop, 2, 1],
  [takeover, 1, 0],
  [workers, 5, 1],
  [backlog, 7, 7],
])('$name', usual, runsOnPostgres);

test.each<[Measurement, number, number]>([
  [herd, 2, 0],
  [manyTimers, 3, 0],
])('$name', onQuietMachine, runsOnPostgres);

test('a silent network is found, by quick pings', async () => {
  const { url } = await createDatabase();
  expect(await msUntilFound(url, { pingInterval: '1s', pingTimeout: 200 })).toBeGreaterThan(200);
});

test('where there is no server, there is nothing of wake-ups to measure', async () => {
  const place = await openSqlitePlace(await temporaryDirectory());
  const more = [workers, backlog, manyTimers];
  for (const measurement of [
    noteRoundTrip,
    wakeUp,
    writers,
    notifiedIdle,
    reconnect,
    silentDrop,
    herd,
    stop,
    takeover,
    ...more,
  ]) {
    expect(measurement.isFor?.(place)).toBe(false);
    expect(await measurement.run(place, least)).toEqual([]);
  }
  await place.close();
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
