// Shuts down and restarts a PostgreSQL of this machine, as its administrator would.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterwards, eventually } from '@romancy/test-support';
import pg from 'pg';

/** `fast` rolls back what is open and ends in order; `immediate` drops everything, and the next start recovers as after a crash. */
export type ShutdownMode = 'fast' | 'immediate';

/** Resolves when the server accepts connections again. */
export async function restartPostgres(url: string, mode: ShutdownMode): Promise<void> {
  const startAgain = await shutDownPostgres(url, mode);
  await startAgain();
}

/**
 * Resolves when the server has ended, with what starts it again and resolves when it accepts connections. What was started here ends with
 * the test.
 */
export async function shutDownPostgres(url: string, mode: ShutdownMode): Promise<() => Promise<void>> {
  const folder = await dataFolder(url);
  const options = await readFile(join(folder, 'postmaster.opts'), 'utf8');
  const pid = Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  await eventually(() => !isRunning(pid), { timeout: 30_000 });
  return async () => {
    const server = await start(folder, options);
    afterwards(async () => {
      const exited = once(server, 'exit');
      if (server.exitCode === null && server.signalCode === null && server.kill('SIGQUIT')) await exited;
    });
    await eventually(async () => (await dataFolder(url)) === folder, { timeout: 30_000 });
  };
}

/** With the words with which it was started before: they are written `program "option" "option"`. */
async function start(folder: string, options: string): Promise<ChildProcess> {
  const [program] = options.split(' "');
  const flags = [...options.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, flag]) => flag!);
  const { uid, gid } = await stat(folder);
  const identity = process.getuid?.() === 0 ? { uid, gid } : {};
  return spawn(program!.trim(), flags, { ...identity, cwd: folder, env: { LC_ALL: 'C' }, stdio: 'ignore' });
}

async function dataFolder(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
    return rows[0]!.folder;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
