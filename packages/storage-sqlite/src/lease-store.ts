// The part of the storage by which a process shows that it lives and the death of others is found.
import type { LeaseStore, ReapedWorker } from '@romancy/core/ports';
import type { ActivityTransactions } from './activity-transactions.js';
import type { LocalLeases } from './local-leases.js';
import { requireCompatibleSchema } from './migrate.js';
import { migrations } from './migrations.js';
import { hasEnded, thisProcess, type ProcessIdentity } from './process-identity.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';

interface OtherWorker {
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  readonly processStart: string | null;
  readonly leaseEndsAt: number;
}

export function createLeaseStore(
  file: SqliteFile,
  { transactions, leases }: { readonly transactions: ActivityTransactions; readonly leases: LocalLeases },
): LeaseStore {
  const { tables } = file;
  const { workers, instances } = tables;
  /** A process does not change; it is asked for once. */
  let identity: Promise<ProcessIdentity> | undefined;

  /** Hands back what a worker owned. Its row goes in the same transaction. */
  const release = (connection: SqliteConnection, workerId: string, now: number): number =>
    connection.run(`UPDATE ${instances} SET owner = NULL, status = 'pending', wake_at = ? WHERE owner = ?`, now, workerId)
      .changes;

  return {
    async register({ workerId, serviceName, leaseMs, workflowNames }) {
      const { host, pid, startedAt } = await (identity ??= thisProcess());
      const result = await file.write(
        (connection) => {
          // A newer version may have changed the schema since this storage was opened.
          requireCompatibleSchema(connection, { tables, version: migrations.at(-1)!.version });
          const now = file.now();
          connection.run(
            `INSERT INTO ${workers} (worker_id, service_name, host, pid, process_start, registered_at, lease_ends_at)
              VALUES (?, ?, ?, ?, ?, ?, ?)
              ON CONFLICT (worker_id) DO UPDATE SET service_name = excluded.service_name, host = excluded.host, pid = excluded.pid,
                process_start = excluded.process_start, lease_ends_at = excluded.lease_ends_at`,
            ...[workerId, serviceName, host, pid, startedAt, now, now + leaseMs],
          );
          for (const workflowName of new Set(workflowNames)) {
            connection.run(
              `UPDATE ${instances} SET wake_at = min(wake_at, ?)
                WHERE status = 'stalled' AND status <> 'running' AND status <> 'completed' AND workflow_name = ?`,
              ...[now, workflowName],
            );
          }
          return { now };
        },
        { urgent: true },
      );
      leases.remember(workerId, leaseMs);
      return result;
    },

    async heartbeat({ workerId, leaseMs }) {
      // Kept out by a transaction of its own process, a heartbeat would have to wait for as long as that likes to take. But nobody can
      // declare this worker dead meanwhile either, since that needs the same lock: so it is alive if its row is there now, and the
      // transaction renews the lease before it gives the lock back.
      const now = file.now();
      const alive = transactions.vouch(workerId, leaseMs);
      if (alive !== undefined) return { alive, now };
      const result = await file.write(
        (connection) => {
          const sql = `UPDATE ${workers} SET lease_ends_at = ? WHERE worker_id = ?`;
          const at = file.now();
          return { alive: connection.run(sql, at + leaseMs, workerId).changes === 1, now: at };
        },
        { urgent: true },
      );
      if (result.alive) leases.remember(workerId, leaseMs);
      else leases.forget(workerId);
      return result;
    },

    async reap({ workerId }) {
      const others = await file.read((connection) =>
        connection.all<OtherWorker>(
          `SELECT worker_id AS workerId, host, pid, process_start AS processStart, lease_ends_at AS leaseEndsAt
            FROM ${workers} WHERE worker_id <> ?`,
          workerId,
        ),
      );
      const gone = await endedOnThisHost(others, await (identity ??= thisProcess()));
      const now = file.now();
      // As a rule nobody is dead, and nothing is written.
      if (gone.size === 0 && others.every((other) => other.leaseEndsAt > now)) return { reaped: [], now };
      return file.write((connection) => {
        // All conditions once more: since the look, a worker may have renewed its lease, or been reaped by somebody else.
        const at = file.now();
        const reaped: ReapedWorker[] = [];
        for (const other of others) {
          const { changes } = gone.has(other)
            ? connection.run(
                `DELETE FROM ${workers} WHERE worker_id = ? AND host = ? AND pid = ? AND process_start IS ?`,
                ...[other.workerId, other.host, other.pid, other.processStart],
              )
            : connection.run(`DELETE FROM ${workers} WHERE worker_id = ? AND lease_ends_at <= ?`, other.workerId, at);
          if (changes === 1) reaped.push({ workerId: other.workerId, released: release(connection, other.workerId, at) });
        }
        return { reaped, now: at };
      });
    },

    async retire({ workerId }) {
      leases.forget(workerId);
      return file.write((connection) => {
        connection.run(`DELETE FROM ${workers} WHERE worker_id = ?`, workerId);
        return { released: release(connection, workerId, file.now()) };
      });
    },
  };
}

/** Those whose process has ended. Numbers of processes can be compared only within one host. */
async function endedOnThisHost(others: readonly OtherWorker[], own: ProcessIdentity): Promise<ReadonlySet<OtherWorker>> {
  const ended = new Set<OtherWorker>();
  await Promise.all(
    others.map(async (other) => {
      if (other.host !== own.host) return;
      if (await hasEnded({ host: other.host, pid: other.pid, startedAt: other.processStart })) ended.add(other);
    }),
  );
  return ended;
}
