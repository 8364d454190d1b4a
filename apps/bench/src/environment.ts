// What the machine is, so that nobody compares numbers of two machines.
import { fdatasyncSync, openSync, closeSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { quantile } from './statistics.js';

/** Magic numbers of statfs. */
const inMemory = new Set([0x01021994, 0x858458f6]);

/** Lines about hardware, system and versions of what runs in this process. */
export function describeEnvironment(folder: string): readonly string[] {
  const processors = cpus();
  const versionOf = (name: string): string => {
    const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
    return `${name} ${version}`;
  };
  return [
    `${processors.length} cores (${processors[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}, load ${loadavg()[0]!.toFixed(1)}`,
    `node ${process.versions.node}, ${versionOf('pg')}, ${versionOf('better-sqlite3')}`,
    `a flush of 8 KiB in ${folder}: ${flushTimes(folder)}`,
  ];
}

/** Whether the folder is kept in memory, where a flush does nothing. */
export function isInMemory(folder: string): boolean {
  return inMemory.has(statfsSync(folder).type);
}

function flushTimes(folder: string): string {
  const path = join(folder, `romancy-bench-flush-${process.pid}`);
  const file = openSync(path, 'w');
  const taken: number[] = [];
  try {
    const block = Buffer.alloc(8192, 1);
    for (let count = 0; count < 50; count++) {
      const began = performance.now();
      writeSync(file, block);
      fdatasyncSync(file);
      taken.push(performance.now() - began);
    }
  } finally {
    closeSync(file);
    rmSync(path);
  }
  return `${quantile(taken, 0.5).toFixed(2)} ms (95 of 100 below ${quantile(taken, 0.95).toFixed(2)} ms)`;
}
