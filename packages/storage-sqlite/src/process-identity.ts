// Who this process is, so that others on the same machine can tell whether it still runs.
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/** A process, told apart from all that ever had its number. */
export interface ProcessIdentity {
  /** Where its number means something: the machine, since its last start, and the namespace. Equal: the numbers can be compared. */
  readonly host: string;
  readonly pid: number;
  /** When it started, in the words of the system; null where that cannot be known. */
  readonly startedAt: string | null;
}

/** What the system says of a process number. */
export type ProcessState =
  | { readonly is: 'gone' }
  /** `startedAt` null: the system does not say. */
  | { readonly is: 'there'; readonly startedAt: string | null };

const run = promisify(execFile);

export async function thisProcess(): Promise<ProcessIdentity> {
  const state = await look(process.pid);
  return { host: hostIdentity(), pid: process.pid, startedAt: state.is === 'there' ? state.startedAt : null };
}

/**
 * Whether a process of this host has ended: its number is free, belongs to one that started at another time, or to one that has ended
 * and was not yet buried by its parent. In doubt it has not; then its lease decides.
 */
export async function hasEnded({ pid, startedAt }: ProcessIdentity): Promise<boolean> {
  const state = await look(pid);
  if (state.is === 'gone') return true;
  return state.startedAt !== null && startedAt !== null && state.startedAt !== startedAt;
}

async function look(pid: number): Promise<ProcessState> {
  if (process.platform === 'linux') return lookInProc(pid);
  // A free number is known without asking further.
  if (isFree(pid)) return { is: 'gone' };
  return process.platform === 'win32' ? { is: 'there', startedAt: null } : lookWithPs(pid);
}

/** Synchronous: /proc is memory of the kernel, read in microseconds, and no thread has to be waited for. */
function lookInProc(pid: number): ProcessState {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // Mounted with `hidepid`, /proc shows only one's own processes: what is not there may belong to another user.
    return isFree(pid) ? { is: 'gone' } : { is: 'there', startedAt: null };
  }
  return parseProcStat(stat);
}

/** `pid (name) state … starttime …`; the name may hold blanks and brackets, so that counting begins behind the last one (proc(5)). */
export function parseProcStat(stat: string): ProcessState {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || state === 'x') return { is: 'gone' };
  return { is: 'there', startedAt: startTime ?? null };
}

async function lookWithPs(pid: number): Promise<ProcessState> {
  try {
    // The same words in every process, whatever its language and time zone are.
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { env });
    const [state, ...start] = stdout.trim().split(/\s+/);
    if (state === undefined || state === '' || state.startsWith('Z')) return { is: 'gone' };
    return { is: 'there', startedAt: start.join(' ') };
  } catch {
    return isFree(pid) ? { is: 'gone' } : { is: 'there', startedAt: null };
  }
}

/** Whether nobody has this number. A process of another user may not be signalled, and yet is there. */
function isFree(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Containers share the kernel, but neither numbers nor (with a namespace of their own) the clock that start times are counted by. */
function hostIdentity(): string {
  const parts = [
    hostname(),
    orNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    orNothing(() => readlinkSync('/proc/self/ns/pid')),
    orNothing(() => readlinkSync('/proc/self/ns/time')),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Not every system has such a file. */
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
