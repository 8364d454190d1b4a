// Removes what is queued where nobody is subscribed, and modes that nothing keeps any more.
import type { RetentionRequest } from '@romancy/core/ports';
import { isInUse, modeStaysMs } from './channel-mode.js';
import type { Purged } from './purge-instances.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** Remembers how far it has looked: topics with subscribers would otherwise be looked at again each time. */
export class ChannelPurge {
  readonly #tables: TableNames;
  /** The topic at which it goes on. */
  #place = '';

  constructor(tables: TableNames) {
    this.#tables = tables;
  }

  purge(connection: SqliteConnection, request: RetentionRequest): Purged {
    const { limit } = request;
    const nextTopic = `SELECT topic FROM ${this.#tables.queuedMessages} WHERE topic > ? ORDER BY topic LIMIT 1`;
    const subscribed = `SELECT 1 FROM ${this.#tables.subscriptions} WHERE topic = ? LIMIT 1`;
    let count = 0;
    for (let looked = 0; looked < limit; looked++) {
      const topic = connection.get<{ readonly topic: string }>(nextTopic, this.#place)?.topic;
      if (topic === undefined) {
        this.#place = '';
        return { count, more: false };
      }
      if (connection.get(subscribed, topic) === undefined) {
        count += this.#purgeTopic(connection, { topic, request, limit: limit - count });
        if (count >= limit) return { count, more: true };
      }
      this.#place = topic;
    }
    return { count, more: true };
  }

  /** Removes modes for which nobody has asked for a day, and which nothing keeps. */
  forgetModes(connection: SqliteConnection, { now, limit }: { readonly now: number; readonly limit: number }): void {
    const { channels } = this.#tables;
    const unused = connection.all<{ readonly topic: string }>(
      `SELECT topic FROM ${channels} WHERE used_at <= ? ORDER BY used_at LIMIT ?`,
      ...[now - modeStaysMs, limit],
    );
    for (const { topic } of unused) {
      // One that is in use is as good as asked for: so others come to be looked at.
      if (isInUse({ connection, tables: this.#tables }, topic)) {
        connection.run(`UPDATE ${channels} SET used_at = ? WHERE topic = ?`, now, topic);
      } else {
        connection.run(`DELETE FROM ${channels} WHERE topic = ?`, topic);
      }
    }
  }

  /** The oldest first: those beyond the newest that may stay, and those that were queued too long ago. */
  #purgeTopic(
    connection: SqliteConnection,
    { topic, request, limit }: { readonly topic: string; readonly request: RetentionRequest; readonly limit: number },
  ): number {
    const { queuedMessages } = this.#tables;
    const inOrder = `${queuedMessages} INDEXED BY ${queuedMessages}_of_topic`;
    const newest = connection.get<{ readonly place: number }>(
      `SELECT place FROM ${inOrder} WHERE topic = ? ORDER BY place DESC LIMIT 1 OFFSET ?`,
      ...[topic, request.mostQueued],
    );
    const oldest = `SELECT place, queued_at AS queuedAt FROM ${inOrder} WHERE topic = ? ORDER BY place LIMIT ?`;
    const before = request.queuedMessages ?? Number.MIN_SAFE_INTEGER;
    let removed = 0;
    for (const { place, queuedAt } of connection.all<{ readonly place: number; readonly queuedAt: number }>(
      oldest,
      topic,
      limit,
    )) {
      if (place > (newest?.place ?? 0) && queuedAt >= before) break;
      connection.run(`DELETE FROM ${queuedMessages} WHERE place = ?`, place);
      removed++;
    }
    return removed;
  }
}
