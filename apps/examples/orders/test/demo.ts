// The whole demo as its users run it: as a process with a command line, that starts others and kills one of them.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileFixture, eventually, type FixtureProcess } from '@romancy/test-support';

/** Of a test that runs demos, in milliseconds. */
export const timeout = 120_000;

/** One of the demo's sources. */
export const source = (name: string): URL => new URL(`../src/${name}.ts`, import.meta.url);

/**
 * Each demo starts four processes or so; compiling the sources in each would take most of the time. The sample is found beside the sources only, and
 * the programs of the server that the demo brings along by `ROMANCY_TEST_POSTGRES_PROGRAMS`.
 * @returns the file to run.
 */
export async function compileDemo(): Promise<string> {
  return await compileFixture(source('main'), {
    beside: [source('worker'), source('payment-service'), source('parcel-service')],
    // It is to stop the server when the demo has ended, however that came about.
    unguarded: [new URL('./postgres-keeper.ts', import.meta.resolve('@romancy/test-support'))],
  });
}

/** So many orders of the sample, in a file of their own. */
export async function ordersFile(folder: string, count: number): Promise<string> {
  const sample = await readFile(new URL('../sample/orders.jsonl', import.meta.url), 'utf8');
  const file = join(folder, 'orders.jsonl');
  await writeFile(file, sample.split('\n').slice(0, count).join('\n'));
  return file;
}

export async function untilItSays(demo: FixtureProcess, words: string): Promise<void> {
  await eventually(() => demo.output.includes(words), { timeout: 60_000 });
}

/** All that it said, and behind that its exit code in brackets. */
export async function endOf(demo: FixtureProcess): Promise<string> {
  const { code } = await demo.exited;
  return `${demo.output}\n[${code}]`;
}

/** What has become of the orders. */
export function table(output: string): string {
  return partOf(output, /final state[^]*?all .*\n/);
}

/** The reports. */
export function days(output: string): string {
  return partOf(output, / day +shipped[^]*?\n\n/);
}

function partOf(output: string, pattern: RegExp): string {
  const part = pattern.exec(output)?.[0];
  if (part === undefined) throw new Error(`nothing like ${String(pattern)} in what it said:\n${output}`);
  return part;
}
