// What commits and notes cost the cores of this machine, as Linux counts it for each process: hardly moved by what else runs.
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

/** In milliseconds, until now. */
export interface CpuTimes {
  /** This process, its server, and the processes beside it. */
  readonly all: number;
  /** The sessions of notifiers, of whichever process, and the processes beside this one. */
  readonly notes: number;
}

/**
 * A reader for the sessions that are open now.
 * @param beside processes that hear notes and do nothing else.
 * @returns null where the server's processes cannot be seen: on another machine, or on another system.
 */
export async function openCpuTimes(url: string, beside: readonly number[]): Promise<(() => CpuTimes) | null> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly pid: number; readonly notifies: boolean }>(
      `SELECT pid, application_name LIKE 'romancy-notify:%' AS notifies FROM pg_stat_activity WHERE pid <> pg_backend_pid()`,
    );
    // One that has ended since was another test's, or cleaned tables.
    const seen = rows.flatMap(({ pid, notifies }) => {
      const name = nameOf(pid);
      return name === null ? [] : [{ pid, notifies, isServer: name.startsWith('postgres') }];
    });
    if (seen.length === 0 || seen.some(({ isServer }) => !isServer)) return null;
    const [notifying, others] = [true, false].map((which) =>
      seen.filter(({ notifies }) => notifies === which).map(({ pid }) => pid),
    );
    const last = new Map([...notifying!, ...others!, ...beside].map((pid) => [pid, 0]));
    const cpuMs = (pids: readonly number[]): number => {
      let sum = 0;
      for (const pid of pids) {
        try {
          last.set(pid, readCpuMs(pid));
        } catch {
          // It has ended, as one that cleans tables does: what it had spent by then stands.
        }
        sum += last.get(pid)!;
      }
      return sum;
    };
    const read = (): CpuTimes => {
      const { user, system } = process.cpuUsage();
      const notes = cpuMs(notifying!) + cpuMs(beside);
      return { all: notes + cpuMs(others!) + (user + system) / 1000, notes };
    };
    return read;
  } finally {
    await client.end();
  }
}

/** Null: there is none of that number. A process of that number here may be something else than one there. */
function nameOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return null;
  }
}

/** All threads of a process. */
function readCpuMs(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
  }
  return nanoseconds / 1e6;
}
