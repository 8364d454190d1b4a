// Runs the benchmarks: each measurement on each storage, then one table.
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { parseCommandLine, usage, type CommandLine } from './command-line.js';
import { describeEnvironment, isInMemory } from './environment.js';
import { isReached, type Effort, type Measurement, type ResultRow } from './measurement.js';
import { backlog } from './measurements/backlog.js';
import { cancel } from './measurements/cancel.js';
import { herd } from './measurements/herd.js';
import { history } from './measurements/history.js';
import { idle } from './measurements/idle.js';
import { manyTimers } from './measurements/many-timers.js';
import { messages } from './measurements/messages.js';
import { latency } from './measurements/latency.js';
import { noteRoundTrip } from './measurements/note-round-trip.js';
import { notifiedIdle } from './measurements/notified-idle.js';
import { reconnect } from './measurements/reconnect.js';
import { replay } from './measurements/replay.js';
import { silentDrop } from './measurements/silent-drop.js';
import { stop } from './measurements/stop.js';
import { takeover } from './measurements/takeover.js';
import { throughput } from './measurements/throughput.js';
import { timers } from './measurements/timers.js';
import { wakeUp } from './measurements/wake-up.js';
import { workers } from './measurements/workers.js';
import { writers } from './measurements/writers.js';
import type { Place } from './places/place.js';
import { openPostgresPlace } from './places/postgres-place.js';
import { openSqlitePlace } from './places/sqlite-place.js';
import { formatTable } from './table.js';

const measurements: readonly Measurement[] = [
  ...[throughput, latency, cancel, timers, messages, history, replay, idle],
  ...[noteRoundTrip, wakeUp, writers, notifiedIdle, reconnect, silentDrop, herd, stop, takeover],
  ...[workers, backlog, manyTimers],
];

const full: Effort = { rounds: 5, roundMs: 2000, quick: false };
const quick: Effort = { rounds: 3, roundMs: 500, quick: true };

async function main(options: CommandLine): Promise<boolean> {
  const effort = options.quick ? quick : full;
  const folder = options.directory ?? tmpdir();
  const facts = [
    ...describeEnvironment(folder),
    `${effort.rounds} rounds of each side in turns${options.quick ? ', short ones (--quick): not figures to quote' : ''}`,
    "pools: Romancy's own default on PostgreSQL (10), code by hand as many as workflows up to 16; SQLite one connection each",
    "runs in memory: Romancy's own default (100), as many as workflows where that is more",
  ];
  if (isInMemory(folder))
    facts.push(`WARNING: ${folder} is in memory; give --directory on a disk, or SQLite's figures mean nothing`);
  const rows: (ResultRow & { readonly storage: string })[] = [];
  for (const kind of options.storages) {
    const place = kind === 'postgres' ? await openPostgresPlace(options.postgres) : await openSqlitePlace(folder);
    try {
      facts.push(...(await place.describe()));
      for (const measurement of measurements) {
        if (options.only !== undefined && !options.only.includes(measurement.name)) continue;
        if (measurement.isFor?.(place) === false) continue;
        rows.push(...(await runOn(place, measurement, effort)));
      }
    } finally {
      await place.close();
    }
  }
  process.stdout.write(`\n${facts.join('\n')}\n\n${formatTable(rows)}\n`);
  if (options.json !== undefined) {
    const results = rows.map((row) => ({ ...row, reached: isReached(row) }));
    await writeFile(options.json, `${JSON.stringify({ isQuick: options.quick, facts, results }, null, 2)}\n`);
  }
  return rows.every((row) => isReached(row) !== false);
}

async function runOn(place: Place, measurement: Measurement, effort: Effort) {
  const began = performance.now();
  process.stderr.write(`${measurement.name} on ${place.kind} … `);
  const rows = await measurement.run(place, effort);
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  return rows.map((row) => ({ storage: place.kind, ...row }));
}

let options: CommandLine | undefined;
try {
  const names = measurements.map((measurement) => measurement.name);
  options = parseCommandLine(process.argv.slice(2), names);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
  process.exitCode = 2;
}
if (options !== undefined) {
  const isAllReached = await main(options);
  if (!isAllReached && options.assert) process.exitCode = 1;
}
