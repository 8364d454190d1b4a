// The part of the storage by which what nobody needs any more is removed.
import type { RetentionStore } from '@romancy/core/ports';
import { ChannelPurge } from './purge-channels.js';
import { purgeInstances, type PurgedInstances } from './purge-instances.js';
import type { SqliteFile } from './sqlite-file.js';

/** Each kind is a transaction of its own, so that others come to write in between. */
export function createRetentionStore(file: SqliteFile): RetentionStore {
  const { tables } = file;
  const { outbox, seenEvents } = tables;
  const channels = new ChannelPurge(tables);
  const remove = (sql: string, before: number | null, limit: number): Promise<number> =>
    before === null ? Promise.resolve(0) : file.write((connection) => connection.run(sql, before, limit).changes);

  return {
    async purge(request) {
      const { limit } = request;
      let purged: PurgedInstances;
      do purged = await file.write((connection) => purgeInstances(connection, tables, request));
      while (purged.isPartial);
      const sentEvents = await remove(
        `DELETE FROM ${outbox} WHERE number IN
          (SELECT number FROM ${outbox} WHERE status = 'sent' AND ended_at < ? ORDER BY ended_at LIMIT ?)`,
        request.sentEvents,
        limit,
      );
      const seen = await remove(
        `DELETE FROM ${seenEvents} WHERE (source, event_id) IN
          (SELECT source, event_id FROM ${seenEvents} WHERE seen_at < ? ORDER BY seen_at LIMIT ?)`,
        request.seenEvents,
        limit,
      );
      const queued = await file.write((connection) => channels.purge(connection, request));
      await file.write((connection) => channels.forgetModes(connection, { now: file.now(), limit }));
      return {
        instances: purged.count,
        sentEvents,
        seenEvents: seen,
        queuedMessages: queued.count,
        more: purged.more || sentEvents >= limit || seen >= limit || queued.more,
      };
    },
  };
}
