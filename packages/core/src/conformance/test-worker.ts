// A worker as the suite plays it: short calls with sensible defaults, and nothing of its own.
import type {
  ClaimedRun,
  ClaimRequest,
  ClaimResult,
  HistoryEntry,
  LeaseRenewal,
  MissingWorker,
  NewHistoryEntry,
  NewInstance,
  ProgressBatch,
  ProgressResult,
  RunSignals,
  Settlement,
  Storage,
  UpkeepResult,
} from '../ports/index.js';

/** The workflow of which instances are when nothing else is said. */
export const defaultWorkflow = 'order';

/** A batch in which only what matters needs to be said. */
export type PartialBatch = Partial<Omit<ProgressBatch, 'workerId'>>;

/** What starts on which topic, for those who register. */
export type WorkerStarts = Parameters<Storage['leases']['register']>[0]['starts'];

let lastToken = 0;

export class TestWorker {
  readonly storage: Storage;
  readonly workerId: string;
  readonly workflowNames: readonly string[];

  constructor(storage: Storage, workerId: string, workflowNames: readonly string[]) {
    this.storage = storage;
    this.workerId = workerId;
    this.workflowNames = workflowNames;
  }

  register(leaseMs = 3_600_000, starts: WorkerStarts = [], isRelayer = false): Promise<{ readonly now: number }> {
    const { workerId, workflowNames } = this;
    return this.storage.leases.register({ workerId, serviceName: 'conformance', leaseMs, workflowNames, starts, isRelayer });
  }

  /** Renews the lease. */
  upkeep(renewal: Partial<LeaseRenewal> = {}, suspects: readonly MissingWorker[] = []): Promise<UpkeepResult> {
    const { workerId, workflowNames } = this;
    const whole = { leaseMs: 3_600_000, presence: null, workflowNames, ...renewal };
    return this.storage.leases.upkeep({ workerId, renewal: whole, suspects });
  }

  /** Looks for the dead alone. */
  look(suspects: readonly MissingWorker[] = []): Promise<UpkeepResult> {
    return this.storage.leases.upkeep({ workerId: this.workerId, renewal: null, suspects });
  }

  /** The storage's clock. */
  async now(): Promise<number> {
    return (await this.upkeep()).now;
  }

  commit(batch: PartialBatch): Promise<ProgressResult> {
    return this.storage.runs.commit(this.batch(batch));
  }

  batch(batch: PartialBatch): ProgressBatch {
    const nothing = { starts: [], entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [] };
    return { workerId: this.workerId, ...nothing, ...batch };
  }

  /** Starts instances; by default this worker owns them from the start. */
  start(instanceIds: string | readonly string[], more: Partial<NewInstance> = {}): Promise<ProgressResult> {
    const ids = typeof instanceIds === 'string' ? [instanceIds] : instanceIds;
    return this.commit({ starts: ids.map((instanceId) => newInstance(instanceId, more)) });
  }

  claim(request: Partial<Omit<ClaimRequest, 'workerId'>> = {}): Promise<ClaimResult> {
    const { workerId, workflowNames } = this;
    const most = { limit: 100, historyLimit: 1000, mailLimit: 1000 };
    return this.storage.runs.claim({ workerId, workflowNames, ...most, holding: null, ...request });
  }

  /** Claims what is due and gives the one run with that id. */
  async claimOne(instanceId: string): Promise<ClaimedRun> {
    const { claimed } = await this.claim();
    const run = claimed.find((candidate) => candidate.instanceId === instanceId);
    if (run === undefined) {
      throw new Error(`${instanceId} was not claimed, but [${claimed.map((other) => other.instanceId).join(', ')}]`);
    }
    return run;
  }

  async claimIds(request: Partial<Omit<ClaimRequest, 'workerId'>> = {}): Promise<readonly string[]> {
    return (await this.claim(request)).claimed.map((run) => run.instanceId);
  }

  signals(instanceIds: string | readonly string[], mailLimit = 1000): Promise<readonly RunSignals[]> {
    const ids = typeof instanceIds === 'string' ? [instanceIds] : instanceIds;
    return this.storage.runs.readSignals({ workerId: this.workerId, instanceIds: ids, mailLimit });
  }

  settle(...settlements: Settlement[]): Promise<ProgressResult> {
    return this.commit({ settlements });
  }

  history(instanceId: string, afterSeq = 0, limit = 1000): Promise<readonly HistoryEntry[]> {
    return this.storage.runs.history({ instanceId, afterSeq, limit });
  }

  retire(): ReturnType<Storage['leases']['retire']> {
    return this.storage.leases.retire({ workerId: this.workerId });
  }
}

export function newInstance(instanceId: string, more: Partial<NewInstance> = {}): NewInstance {
  return {
    instanceId,
    workflowName: defaultWorkflow,
    input: '{"item":1}',
    startToken: `token-${++lastToken}`,
    owned: true,
    ...more,
  };
}

export function newEntry(instanceId: string, seq: number, more: Partial<NewHistoryEntry> = {}): NewHistoryEntry {
  return {
    instanceId,
    seq,
    kind: 'activity_completed',
    callId: `charge:${seq}`,
    position: seq - 1,
    data: `{"seq":${seq}}`,
    dueAt: null,
    ...more,
  };
}

type Finish = Settlement & { readonly type: 'finish' };

// Settlements end the first claim of their instance, as most do here: it was started owned, or claimed once.

/** Put away until something comes; with `wakeAt`, until then at most. */
export function park(instanceId: string, wakeAt: number | null = null): Settlement {
  return { type: 'park', instanceId, claim: 1, status: wakeAt === null ? 'waiting_for_event' : 'waiting_for_timer', wakeAt };
}

export function release(instanceId: string, wakeAt: number | null = null): Settlement {
  return { type: 'release', instanceId, claim: 1, wakeAt };
}

export function stall(instanceId: string, wakeAt: number, error = '{"message":"the code does not fit"}'): Settlement {
  return { type: 'stall', instanceId, claim: 1, wakeAt, error };
}

export function complete(instanceId: string, output: string | null = '"done"'): Finish {
  return { type: 'finish', instanceId, claim: 1, status: 'completed', output, error: null };
}

export function fail(instanceId: string, error = '{"message":"no"}'): Finish {
  return { type: 'finish', instanceId, claim: 1, status: 'failed', output: null, error };
}

export function cancelled(instanceId: string): Finish {
  return { type: 'finish', instanceId, claim: 1, status: 'cancelled', output: null, error: null };
}

/** The same, at the end of another claim than the first. */
export function ofClaim(claim: number, settlement: Settlement): Settlement {
  return { ...settlement, claim };
}
