// The part of the storage by which a process shows that it lives and the death of others is found.
import type { LeaseStore, ReapedWorker, UpkeepRequest, UpkeepResult, Wakeup } from '@romancy/core/ports';
import type { ActivityTransactions } from './activity-transactions.js';
import { pendingRuns } from './claim-runs.js';
import type { LocalLeases } from './local-leases.js';
import { requireCompatibleSchema } from './migrate.js';
import { migrations } from './migrations.js';
import { outboxDueAt, releaseEvents } from './outbox-streams.js';
import { hasEnded, thisProcess, type ProcessIdentity } from './process-identity.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';
import { statusOr } from './status-or.js';

/** The most that is told of anything in one answer. */
const mostTold = 1000;

interface WorkerRow {
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  readonly processStart: string | null;
  readonly leaseEndsAt: number;
  /** JSON. */
  readonly workflowNames: string;
  /** 1: it sends events of the outbox. */
  readonly isRelayer: number;
}

interface Seen extends Pick<UpkeepResult, 'now' | 'work'> {
  readonly own: WorkerRow | undefined;
  readonly others: readonly WorkerRow[];
}

interface ReleasedInstance {
  readonly instanceId: string;
  readonly workflowName: string;
}

/** What a worker owned. */
interface Released {
  readonly instances: readonly ReleasedInstance[];
  /** One of its events of the outbox; undefined: it had none. */
  readonly eventId: string | undefined;
}

/** Of an answer without any: there are no presences here, death shows by the process itself. */
const noWork = { work: null, presence: null, othersOwnWork: false, missing: [] } as const;

export function createLeaseStore(
  file: SqliteFile,
  { transactions, leases }: { readonly transactions: ActivityTransactions; readonly leases: LocalLeases },
): LeaseStore {
  const { tables } = file;
  const { workers, instances, eventStarts } = tables;
  /** A process does not change; it is asked for once. */
  let identity: Promise<ProcessIdentity> | undefined;

  /** Hands back what a worker owned. Its row goes in the same transaction. */
  const release = (connection: SqliteConnection, workerId: string, now: number): Released => {
    const eventId = releaseEvents({ connection, tables }, workerId);
    const released = connection.all<ReleasedInstance>(
      `UPDATE ${instances} SET owner = NULL, status = ${statusOr(`'pending'`)}, wake_at = ? WHERE owner = ?
        RETURNING instance_id AS instanceId, workflow_name AS workflowName`,
      ...[now, workerId],
    );
    return { instances: released, eventId };
  };

  /** All that an upkeep tells, as of one moment. */
  const look = (connection: SqliteConnection, { workerId, renewal }: UpkeepRequest): Seen => {
    const all = connection.all<WorkerRow>(
      `SELECT worker_id AS workerId, host, pid, process_start AS processStart, lease_ends_at AS leaseEndsAt, workflow_names AS workflowNames,
          is_relayer AS isRelayer FROM ${workers}`,
    );
    return {
      own: all.find((worker) => worker.workerId === workerId),
      others: all.filter((worker) => worker.workerId !== workerId),
      now: file.now(),
      work:
        renewal === null
          ? null
          : {
              ...pendingRuns(connection, tables, { workerId, workflowNames: renewal.workflowNames }),
              outboxDueAt: outboxDueAt(connection, tables),
            },
    };
  };

  const reapAmong = async (others: readonly WorkerRow[]): Promise<Pick<UpkeepResult, 'reaped' | 'wakeups'>> => {
    const gone = await endedOnThisHost(others, await (identity ??= thisProcess()));
    const now = file.now();
    // As a rule nobody is dead, and nothing is written.
    if (gone.size === 0 && others.every((other) => other.leaseEndsAt > now)) return { reaped: [], wakeups: [] };
    return file.write((connection) => {
      // All conditions once more: since the look, a worker may have renewed its lease, or been reaped by somebody else.
      const at = file.now();
      const reaped: ReapedWorker[] = [];
      const released: Released[] = [];
      for (const other of others) {
        const { changes } = gone.has(other)
          ? connection.run(
              `DELETE FROM ${workers} WHERE worker_id = ? AND host = ? AND pid = ? AND process_start IS ?`,
              ...[other.workerId, other.host, other.pid, other.processStart],
            )
          : connection.run(`DELETE FROM ${workers} WHERE worker_id = ? AND lease_ends_at <= ?`, other.workerId, at);
        if (changes !== 1) continue;
        const left = release(connection, other.workerId, at);
        reaped.push({ workerId: other.workerId, released: left.instances.length });
        released.push(left);
      }
      return { reaped, wakeups: tellOf(released) };
    });
  };

  return {
    async register({ workerId, serviceName, leaseMs, workflowNames, starts, isRelayer = false }) {
      const { host, pid, startedAt } = await (identity ??= thisProcess());
      const result = await file.write(
        (connection) => {
          // A newer version may have changed the schema since this storage was opened.
          requireCompatibleSchema(connection, { tables, version: migrations.at(-1)!.version });
          const now = file.now();
          connection.run(
            `INSERT INTO ${workers} (worker_id, service_name, workflow_names, is_relayer, host, pid, process_start, registered_at, lease_ends_at)
              VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
              ON CONFLICT (worker_id) DO UPDATE SET service_name = excluded.service_name, workflow_names = excluded.workflow_names,
                is_relayer = excluded.is_relayer, host = excluded.host, pid = excluded.pid, process_start = excluded.process_start,
                lease_ends_at = excluded.lease_ends_at`,
            ...[
              workerId,
              serviceName,
              JSON.stringify(workflowNames),
              Number(isRelayer),
              host,
              pid,
              startedAt,
              now,
              now + leaseMs,
            ],
          );
          for (const workflowName of new Set(workflowNames)) {
            connection.run(
              `UPDATE ${instances} SET wake_at = min(wake_at, ?)
                WHERE status = 'stalled' AND status <> 'running' AND status <> 'completed' AND workflow_name = ?`,
              ...[now, workflowName],
            );
            connection.run(`DELETE FROM ${eventStarts} WHERE workflow_name = ?`, workflowName);
          }
          const insertStart = `INSERT INTO ${eventStarts} (topic, workflow_name) VALUES (?, ?) ON CONFLICT (topic, workflow_name) DO NOTHING`;
          for (const { topic, workflowName } of starts) connection.run(insertStart, topic, workflowName);
          return { now };
        },
        { urgent: true },
      );
      leases.remember(workerId, leaseMs);
      return result;
    },

    async upkeep(request) {
      const { workerId, renewal } = request;
      // Kept out by a transaction of its own process, a renewal would have to wait for as long as that likes to take. But nobody can
      // declare this worker dead meanwhile either, since that needs the same lock: so it is alive if its row is there now, and the
      // transaction renews the lease before it gives the lock back. Nor is anybody else declared dead: no lease can be renewed by anyone
      // as long as that transaction goes on.
      const isLocked = transactions.isOpen;
      const vouched = renewal === null ? undefined : transactions.vouch(workerId, renewal.leaseMs);
      const seen =
        renewal === null || vouched !== undefined
          ? await file.snapshot((connection) => look(connection, request))
          : await file.write(
              (connection) => {
                const sql = `UPDATE ${workers} SET lease_ends_at = ? WHERE worker_id = ?`;
                connection.run(sql, file.now() + renewal.leaseMs, workerId);
                return look(connection, request);
              },
              { urgent: true },
            );
      const { own, others, ...rest } = seen;
      if (own === undefined || vouched === false) {
        leases.forget(workerId);
        return { ...noWork, alive: false, now: rest.now, reaped: [], peers: [], relayers: [], wakeups: [] };
      }
      if (renewal !== null && vouched === undefined) leases.remember(workerId, renewal.leaseMs);
      const { reaped, wakeups } = isLocked ? { reaped: [], wakeups: [] } : await reapAmong(others);
      const served = new Set(namesOf(own));
      const living = others.filter((other) => !reaped.some((dead) => dead.workerId === other.workerId));
      const peers = idsOf(living.filter((other) => namesOf(other).some((name) => served.has(name))));
      const relayers = idsOf(living.filter((other) => other.isRelayer === 1));
      // What the dead had may be the first to be sent again.
      const work =
        rest.work === null || reaped.length === 0
          ? rest.work
          : { ...rest.work, outboxDueAt: await file.read((connection) => outboxDueAt(connection, tables)) };
      return { ...noWork, ...rest, work, alive: true, reaped, peers, relayers, wakeups };
    },

    async retire({ workerId }) {
      leases.forget(workerId);
      return file.write((connection) => {
        connection.run(`DELETE FROM ${workers} WHERE worker_id = ?`, workerId);
        const released = release(connection, workerId, file.now());
        return { released: released.instances.length, wakeups: tellOf([released]) };
      });
    },
  };
}

/** Those whose process has ended. Numbers of processes can be compared only within one host. */
async function endedOnThisHost(others: readonly WorkerRow[], own: ProcessIdentity): Promise<ReadonlySet<WorkerRow>> {
  const ended = new Set<WorkerRow>();
  await Promise.all(
    others.map(async (other) => {
      if (other.host !== own.host) return;
      if (await hasEnded({ host: other.host, pid: other.pid, startedAt: other.processStart })) ended.add(other);
    }),
  );
  return ended;
}

function namesOf({ workflowNames }: WorkerRow): readonly string[] {
  return JSON.parse(workflowNames) as readonly string[];
}

function idsOf(workers: readonly WorkerRow[]): readonly string[] {
  return workers.slice(0, mostTold).map(({ workerId }) => workerId);
}

function tellOf(released: readonly Released[]): readonly Wakeup[] {
  const instances = released.flatMap((one) => one.instances).slice(0, mostTold);
  const eventId = released.find((one) => one.eventId !== undefined)?.eventId;
  return [
    ...instances.map((instance) => ({ kind: 'workflow_resumable', ...instance }) as const),
    ...(eventId === undefined ? [] : [{ kind: 'outbox_pending', eventId } as const]),
  ];
}
