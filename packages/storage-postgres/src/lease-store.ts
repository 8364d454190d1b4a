// Leases on PostgreSQL: one row per process start, renewed by its worker, deleted by whoever finds that its time has run out.
import type { LeaseStore } from '@romancy/core/ports';
import type { Database } from './database.js';
import { fitsSchema, tooNew } from './migrate.js';
import { releaseOwned } from './release-owned.js';
import { sql } from './sql.js';
import { clockMillis, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

export function createLeaseStore(database: Database, tables: TableNames): LeaseStore {
  return {
    async register({ workerId, serviceName, leaseMs, workflowNames }) {
      // A worker of older code that comes back after a newer one changed the schema under it stops here.
      //
      // Stalled instances that somebody holds locked are left to him: a claim has them already, a delivery or a cancellation makes
      // them claimable by itself, another worker that registers does the same as this one. So nothing waits here.
      const [row] = await database.rows(sql`
        WITH registered AS (
          INSERT INTO ${tables.workers} AS w (worker_id, service_name, registered_at, expires_at)
          SELECT ${workerId}::text, ${serviceName}::text, now(), now() + ${leaseMs}::float8 * interval '1 millisecond'
          WHERE ${fitsSchema(tables)}
          ON CONFLICT (worker_id) DO UPDATE SET service_name = excluded.service_name, expires_at = excluded.expires_at
          RETURNING w.worker_id
        ), stalled AS MATERIALIZED (
          SELECT i.instance_id FROM ${tables.instances} i
          WHERE i.status = 'stalled' AND i.workflow_name = ANY(${workflowNames}::text[]) AND EXISTS (SELECT FROM registered)
          FOR NO KEY UPDATE SKIP LOCKED
        ), freed AS (
          UPDATE ${tables.instances} i SET wake_at = least(i.wake_at, ${storedNow}), version = i.version + 1
          WHERE i.instance_id = ANY(ARRAY(SELECT instance_id FROM stalled))
        )
        SELECT ${clockMillis}, (SELECT count(*) FROM registered)`);
      if (row![1] === '0') throw tooNew(tables, undefined);
      return { now: Number(row![0]) };
    },

    async heartbeat({ workerId, leaseMs }) {
      const [row] = await database.rows(sql`
        WITH renewed AS (
          UPDATE ${tables.workers} SET expires_at = now() + ${leaseMs}::float8 * interval '1 millisecond'
          WHERE worker_id = ${workerId} RETURNING worker_id
        )
        SELECT ${clockMillis}, (SELECT count(*) FROM renewed)`);
      return { now: Number(row![0]), alive: row![1] === '1' };
    },

    async reap({ workerId }) {
      // As a rule nobody is dead, and one look without a lock says so.
      const [look] = await database.rows(sql`
        SELECT ${clockMillis}, EXISTS (SELECT FROM ${tables.workers} w WHERE w.expires_at < now() AND w.worker_id <> ${workerId})`);
      if (look![1] !== 't') return { reaped: [], now: Number(look![0]) };
      return database.transaction(async (connection) => {
        // A row that is locked is left for the next time: another reaper has it, and reports it; or the worker is committing at this
        // moment, late but not dead, and to wait for it would hold up this process. The condition is checked again on the newest
        // version of the row once it is locked, so that a heartbeat which came in between saves its worker.
        const dead = await connection.rows(sql`
          WITH dead AS MATERIALIZED (
            SELECT w.worker_id FROM ${tables.workers} w WHERE w.expires_at < now() AND w.worker_id <> ${workerId}
            FOR UPDATE SKIP LOCKED
          )
          DELETE FROM ${tables.workers} w WHERE w.worker_id = ANY(ARRAY(SELECT worker_id FROM dead)) RETURNING w.worker_id`);
        const workerIds = dead.map((row) => row[0]!);
        const released = await releaseOwned(connection, tables, workerIds);
        const [clock] = await connection.rows(sql`SELECT ${clockMillis}`);
        return {
          reaped: workerIds.map((id) => ({ workerId: id, released: released.get(id) ?? 0 })),
          now: Number(clock![0]),
        };
      });
    },

    retire: ({ workerId }) =>
      database.transaction(async (connection) => {
        // Waits for this worker's statements that are under way.
        await connection.rows(sql`DELETE FROM ${tables.workers} WHERE worker_id = ${workerId}`);
        return { released: (await releaseOwned(connection, tables, [workerId])).get(workerId) ?? 0 };
      }),
  };
}
