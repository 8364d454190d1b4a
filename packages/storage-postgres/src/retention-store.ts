// Retention on PostgreSQL: removes what nobody needs any more, in short transactions, each bounded.
import type { RetentionRequest, RetentionResult, RetentionStore } from '@romancy/core/ports';
import type { Database } from './database.js';
import { functionName } from './function-settings.js';
import { purgeInstancesFunction, purgeQueuesFunction, purgeSeenFunction, purgeSentFunction } from './purge-functions.js';
import { raw, sql, type Sql } from './sql.js';
import { instant } from './sql-time.js';
import type { TableNames } from './table-names.js';

/** How many went, and whether the limit was reached. */
interface Purged {
  readonly count: number;
  readonly more: boolean;
}

export function createRetentionStore(database: Database, tables: TableNames): RetentionStore {
  const purgeInstances = raw(functionName(tables, purgeInstancesFunction));
  const purgeQueues = raw(functionName(tables, purgeQueuesFunction));

  /** Of each status up to the limit. A history longer than that takes several transactions: the first instance goes in any case. */
  const instancesOf = async ({ instances, limit }: RetentionRequest): Promise<Purged> => {
    let [count, rows, more] = [0, 0, false];
    for (const [status, until] of Object.entries(instances)) {
      if (until === null) continue;
      if (rows >= limit) return { count, more: true };
      for (let isPartial = true; isPartial;) {
        const [row] = await database.rows(sql`
          SELECT p.removed, p.handled, p.more
          FROM ${purgeInstances}(${status}, ${instant(until)}, ${limit - (count > 0 ? rows : 0)}) p`);
        const [removed, handled, isMore] = row!;
        count += Number(removed);
        rows += Number(handled);
        more ||= isMore === 't';
        isPartial = count === 0 && handled !== '0';
      }
    }
    return { count, more: more || rows >= limit };
  };

  const deleted = async (statement: Sql, limit: number): Promise<Purged> => {
    const [row] = await database.rows(statement);
    const count = Number(row![0]);
    return { count, more: count >= limit };
  };

  const oldestOf = (name: string, until: number | null, limit: number): Promise<Purged> =>
    until === null
      ? Promise.resolve({ count: 0, more: false })
      : deleted(sql`SELECT ${raw(functionName(tables, name))}(${instant(until)}, ${limit})`, limit);

  const queuedOf = ({ queuedMessages: until, mostQueued, limit }: RetentionRequest): Promise<Purged> => {
    const before = until === null ? raw('NULL') : instant(until);
    return deleted(sql`SELECT ${purgeQueues}(${before}, ${mostQueued}, ${limit})`, limit);
  };

  return {
    async purge(request): Promise<RetentionResult> {
      const instances = await instancesOf(request);
      const sentEvents = await oldestOf(purgeSentFunction, request.sentEvents, request.limit);
      const seenEvents = await oldestOf(purgeSeenFunction, request.seenEvents, request.limit);
      const queuedMessages = await queuedOf(request);
      return {
        instances: instances.count,
        sentEvents: sentEvents.count,
        seenEvents: seenEvents.count,
        queuedMessages: queuedMessages.count,
        more: [instances, sentEvents, seenEvents, queuedMessages].some(({ more }) => more),
      };
    },
  };
}
