// Leases on PostgreSQL: one row per process start, renewed by its worker, deleted by whoever finds that its time has run out.
import type { LeaseStore, UpkeepRequest, UpkeepResult } from '@romancy/core/ports';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { fitsSchema, tooNew } from './migrate.js';
import { releaseOwned } from './release-owned.js';
import { sql } from './sql.js';
import { clockMillis, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';
import { createUpkeepCall, signCounts, standingPresences, type UpkeepTag } from './upkeep-function.js';

interface Reaping extends Pick<UpkeepResult, 'reaped' | 'wakeups'> {
  /** When the earliest of the events that they had is due; null: they had none. */
  readonly outboxDueAt: number | null;
}

const nobody: Reaping = { reaped: [], wakeups: [], outboxDueAt: null };

/**
 * A row of an instance that somebody keeps locked (a transaction of the user, an administrator) is not waited for without end: meanwhile the
 * lease of who waits would run out. The dead are then left for the next time, all of them.
 */
function unlessLocked(error: unknown): Reaping {
  const { cause } = error as { readonly cause?: unknown };
  if ((cause as { readonly code?: unknown } | undefined)?.code === '55P03') return nobody;
  throw error;
}

export function createLeaseStore(database: Database, tables: TableNames): LeaseStore {
  const upkeepCall = createUpkeepCall(tables);
  /** Declares dead whose lease has run out, and who is rightly suspected. */
  const reap = ({ workerId, suspects }: Pick<UpkeepRequest, 'workerId' | 'suspects'>): Promise<Reaping> =>
    database.transaction(async (connection) => {
      // A row that is locked is left for the next time: another reaper has it, and reports it; or the worker is committing at this
      // moment, late but not dead, and to wait for it would hold up this process. The condition is checked again on the newest
      // version of the row once it is locked, so that a renewal which came in between saves its worker, and so does a presence that was
      // withdrawn or changed.
      const locked = await connection.rows(sql`
        SELECT w.worker_id, set_config('lock_timeout', '2s', true) FROM ${tables.workers} w
        WHERE w.worker_id <> ${workerId} AND (w.expires_at < now() OR (w.worker_id = ANY(${suspects.map((one) => one.workerId)}::text[])
          AND w.presence = ANY(${suspects.map((one) => one.presence)}::text[])))
        FOR UPDATE SKIP LOCKED`);
      // From here on nobody can change these rows, and a worker that has taken its sign again, in another session, is seen by this look:
      // it begins after the rows were locked. A look that began before could miss the sign and the row's newest version could not.
      const dead = await connection.rows(sql`
        DELETE FROM ${tables.workers} w WHERE w.worker_id = ANY(${locked.map((row) => row[0]!)}::text[])
          AND (w.expires_at < now() OR ${signCounts} AND NOT EXISTS (SELECT FROM (${standingPresences}) s WHERE s.presence = w.presence))
        RETURNING w.worker_id`);
      const workerIds = dead.map((row) => row[0]!);
      const { counts, wakeups, outboxDueAt } = await releaseOwned(connection, tables, workerIds);
      return { reaped: workerIds.map((id) => ({ workerId: id, released: counts.get(id) ?? 0 })), wakeups, outboxDueAt };
    });

  return {
    async register({ workerId, serviceName, leaseMs, workflowNames, starts, isRelayer = false }) {
      // A worker of older code that comes back after a newer one changed the schema under it stops here.
      //
      // Stalled instances that somebody holds locked are left to him: a claim has them already, a delivery or a cancellation makes
      // them claimable by itself, another worker that registers does the same as this one. So nothing waits here.
      // What starts on what is as a rule there already, and then not written: ten processes that begin at once wait for nobody.
      const topics = starts.map(({ topic }) => topic);
      const started = starts.map(({ workflowName }) => workflowName);
      const [row] = await database.rows(sql`
        WITH registered AS (
          INSERT INTO ${tables.workers} AS w (worker_id, service_name, workflow_names, is_relayer, registered_at, expires_at)
          SELECT ${workerId}::text, ${serviceName}::text, ${workflowNames}::text[], ${isRelayer}::boolean, now(),
            now() + ${leaseMs}::float8 * interval '1 millisecond'
          WHERE ${fitsSchema(tables)}
          ON CONFLICT (worker_id) DO UPDATE SET service_name = excluded.service_name, workflow_names = excluded.workflow_names,
            is_relayer = excluded.is_relayer, expires_at = excluded.expires_at, presence = NULL
          RETURNING w.worker_id
        ), stalled AS MATERIALIZED (
          SELECT i.instance_id FROM ${tables.instances} i
          WHERE i.status = 'stalled' AND i.workflow_name = ANY(${workflowNames}::text[]) AND EXISTS (SELECT FROM registered)
          FOR NO KEY UPDATE SKIP LOCKED
        ), freed AS (
          UPDATE ${tables.instances} i SET wake_at = least(i.wake_at, ${storedNow}), version = i.version + 1
          WHERE i.instance_id = ANY(ARRAY(SELECT instance_id FROM stalled))
        ), unstarted AS (
          DELETE FROM ${tables.eventStarts} e
          WHERE e.workflow_name = ANY(${workflowNames}::text[]) AND EXISTS (SELECT FROM registered)
            AND (e.topic, e.workflow_name) NOT IN (SELECT * FROM unnest(${topics}::text[], ${started}::text[]))
        ), starting AS (
          INSERT INTO ${tables.eventStarts} (topic, workflow_name)
          SELECT n.topic, n.name FROM unnest(${topics}::text[], ${started}::text[]) AS n (topic, name)
          WHERE EXISTS (SELECT FROM registered)
            AND NOT EXISTS (SELECT FROM ${tables.eventStarts} e WHERE e.topic = n.topic AND e.workflow_name = n.name)
          ORDER BY 1, 2 ON CONFLICT (topic, workflow_name) DO NOTHING
        )
        SELECT ${clockMillis}, (SELECT count(*) FROM registered)`);
      if (row![1] === '0') throw tooNew(tables, undefined);
      return { now: Number(row![0]) };
    },

    async upkeep(request) {
      const { workerId, renewal, suspects } = request;
      const answer = await database.preparedRows(upkeepCall.name, upkeepCall.of(request));
      const tagged = (tag: UpkeepTag): readonly Row[] => answer.filter((row) => row[0] === tag).map((row) => row.slice(1));
      const [now, isThere, presence, nextDueAt, othersOwnWork, outboxDue] = tagged('own')[0]!;
      const alive = isThere === '1';
      if (!alive) {
        const nothing = { presence: null, reaped: [], work: null, othersOwnWork: false, missing: [], wakeups: [] };
        return { ...nothing, peers: [], relayers: [], alive, now: Number(now) };
      }
      // As a rule nobody is dead.
      const { outboxDueAt, ...reaping } =
        tagged('dead').length === 0 ? nobody : await reap({ workerId, suspects }).catch(unlessLocked);
      const isReaped = new Set(reaping.reaped.map((dead) => dead.workerId));
      const living = tagged('peer').filter(([id]) => !isReaped.has(id!));
      const attention = tagged('attention').map((row) => row[0]!);
      return {
        alive,
        now: Number(now),
        presence: presence ?? null,
        ...reaping,
        work:
          renewal === null
            ? null
            : { nextDueAt: toNumber(nextDueAt), attention, outboxDueAt: earliest(toNumber(outboxDue), outboxDueAt) },
        peers: living.flatMap(([id, servesSame]) => (servesSame === 'true' ? [id!] : [])),
        relayers: living.flatMap(([id, , isRelayer]) => (isRelayer === 'true' ? [id!] : [])),
        othersOwnWork: othersOwnWork === 'true',
        missing: tagged('missing').flatMap(([id, sign]) => (isReaped.has(id!) ? [] : [{ workerId: id!, presence: sign! }])),
      };
    },

    retire: ({ workerId }) =>
      database.transaction(async (connection) => {
        // Waits for this worker's statements that are under way.
        await connection.rows(sql`DELETE FROM ${tables.workers} WHERE worker_id = ${workerId}`);
        const { counts, wakeups } = await releaseOwned(connection, tables, [workerId]);
        return { released: counts.get(workerId) ?? 0, wakeups };
      }),
  };
}

function toNumber(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
