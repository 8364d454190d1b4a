// What a storage's package hands to the durability suite: how to start processes on a database, and how to look into it.
import type { Storage } from '../ports/index.js';
import type { WorkerPlan } from './durability-plan.js';

/** A worker process, as the suite sees it. `spawnFixture` of the test support gives such a thing. */
export interface WorkerProcess {
  readonly pid: number;
  /** All that it has written so far. */
  readonly output: string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** The first message (a line of JSON on its standard output) that fits and was not given before. Rejects when it ends without one. */
  message<T>(predicate: (message: T) => boolean, options?: { readonly timeout?: number }): Promise<T>;
  send(value: object): void;
  kill(signal?: 'SIGKILL'): Promise<unknown>;
}

/** One empty database, for one test. Nothing has opened it yet. */
export interface DurabilityFixture {
  /** Says where the database is; handed to worker processes as it is. */
  readonly place: string;
  /** Another place on the same server or in the same folder, whose instances are apart: another schema, another file. */
  readonly elsewhere: string;
  /** Starts a process whose program calls `serveDurabilityWorker` with this plan. It does not outlive the test. */
  spawn(plan: WorkerPlan): WorkerProcess;
  /** A storage in this process, opened, for looking. The suite closes it. */
  open(place: string): Promise<Storage>;
  /** All that worker processes have noted so far, in whichever place they work. */
  notes(): Promise<string>;
  /** The keys of the user's rows, in ascending order, a key once for each row. */
  rows(): Promise<readonly string[]>;
  /** Called when the test is over, after the storages that `open` gave have been closed. */
  cleanup(): Promise<void>;
}

export type DurabilityFixtureFactory = () => Promise<DurabilityFixture>;

/** Something that happens to the database while workers are busy, and passes. */
export interface DurabilityFault {
  /** Reads after "goes on after". */
  readonly name: string;
  /** Why it cannot be shown here; the test is then skipped. */
  readonly skip?: string;
  /** The database for it, when it needs one of its own. */
  readonly factory?: DurabilityFixtureFactory;
  /** How many steps of 40 ms each of the 80 instances has to do. Default 10. */
  readonly steps?: number;
  /** The workers may not even notice. Default: they must. */
  readonly goesUnnoticed?: boolean;
  /** Lets it happen, and lets it pass. A tenth of the work is done when it begins. */
  happen(load: {
    readonly place: string;
    /** The worker processes. */
    readonly pids: readonly number[];
    /** Whether all work is done that was given. */
    isDone(): Promise<boolean>;
  }): Promise<void>;
}

/** A database that is down until it is told to be up again. */
export interface DurabilityOutage {
  /** Why it cannot be shown here; the test is then skipped. */
  readonly skip?: string;
  /** The database for it, when it needs one of its own. */
  readonly factory?: DurabilityFixtureFactory;
  /** Resolves when it is down, with what ends that. */
  begin(place: string): Promise<() => Promise<void>>;
}

export interface DurabilityOptions {
  /**
   * The lease of workers that are killed, in milliseconds. Default 1500. Where the death of a process shows at once, let it be long, so
   * that it is not the lease that brings the others in.
   */
  readonly leaseMs?: number;
  /**
   * Within how many milliseconds the runs of a killed process go on elsewhere, at the latest. Default: the lease, a third of it until
   * somebody looks, and 2 s for a machine that is busy with other things.
   */
  readonly takeoverMs?: number;
  /** Faults of the database. Default: none. */
  readonly faults?: readonly DurabilityFault[];
  /** Default: none; what needs one is then skipped. */
  readonly outage?: DurabilityOutage;
  /** Of the transitions of messages, recurrences and compensations, every so-manieth is one at which a process is killed. Default 3. */
  readonly killStep?: number;
  /** Batches of random programs. Default 1. */
  readonly programRuns?: number;
  /** Random programs in a batch. Default 10. */
  readonly programsPerRun?: number;
  /** How many workers of a crowd are killed. Default 5. */
  readonly crowdKills?: number;
  /** Their lease, in milliseconds: long enough that no process that lives is taken for dead on a busy machine. Default 5000. */
  readonly crowdLeaseMs?: number;
  /** The seed of all that is random. Default: another one in each run; it is shown when a test fails. */
  readonly seed?: number;
  /** Milliseconds that one test may take. Default 300,000, for machines that are busy with other things. */
  readonly timeout?: number;
}

export type ResolvedDurabilityOptions = Required<DurabilityOptions>;

export function resolveDurabilityOptions(options: DurabilityOptions): ResolvedDurabilityOptions {
  const leaseMs = options.leaseMs ?? 1500;
  return {
    leaseMs,
    takeoverMs: options.takeoverMs ?? (leaseMs * 4) / 3 + 2000,
    faults: options.faults ?? [],
    outage: options.outage ?? { skip: 'this storage cannot be down', begin: () => Promise.reject(new Error('skipped')) },
    killStep: options.killStep ?? 3,
    programRuns: options.programRuns ?? 1,
    programsPerRun: options.programsPerRun ?? 10,
    crowdKills: options.crowdKills ?? 5,
    crowdLeaseMs: options.crowdLeaseMs ?? Math.max(leaseMs, 5000),
    seed: options.seed ?? Math.trunc(Math.random() * 0x7fffffff),
    timeout: options.timeout ?? 300_000,
  };
}
