// The queues of topics, and those who wait for a message out of one.
import type { OutgoingMessage } from '@romancy/core/ports';
import { drawAttention } from './draw-attention.js';
import type { WriteScope } from './write-scope.js';

/** A message as it lies in a queue. */
interface QueuedRow {
  readonly place: number;
  readonly messageId: string;
  readonly data: string;
  readonly queuedAt: number;
}

/** What a mailbox gave up. */
export interface GivenUpMail {
  readonly topic: string;
  readonly messageId: string;
  /** Null unless it came from a queue; then it may be big. */
  readonly data: string | null;
  readonly queuePlace: number | null;
  readonly queuedAt: number | null;
}

/** To be returned by the statement that removes mail which {@link putBack} is to look at. */
export const givenUpColumns = `topic, message_id AS messageId, CASE WHEN queue_place IS NOT NULL THEN data END AS data,
  queue_place AS queuePlace, queued_at AS queuedAt`;

/** Puts it behind all that is queued. Afterwards {@link handOut} is due. */
export function enqueue({ connection, tables, now }: WriteScope, { topic, messageId, data }: OutgoingMessage): void {
  connection.run(
    `INSERT INTO ${tables.queuedMessages} (topic, message_id, data, queued_at) VALUES (?, ?, ?, ?)`,
    ...[topic, messageId, data, now],
  );
}

/** The instance waits for one message of the topic, if it is subscribed. It keeps its turn when it does so already. */
export function seek({ connection, tables }: WriteScope, id: number, topic: string): void {
  // Turns need to be ordered among those who are waiting alone.
  connection.run(
    `UPDATE ${tables.subscriptions}
      SET seeking = (SELECT ifnull(max(seeking), 0) + 1 FROM ${tables.subscriptions} WHERE topic = ? AND seeking IS NOT NULL)
      WHERE id = ? AND topic = ? AND seeking IS NULL`,
    ...[topic, id, topic],
  );
}

/** It does not wait any more; what it got from the queue and did not take goes back. Afterwards {@link handOut} is due. */
export function unseek(scope: WriteScope, id: number, topic: string): void {
  const { connection, tables } = scope;
  stopSeeking(scope, id, topic);
  const sql = `DELETE FROM ${tables.mailbox} WHERE id = ? AND topic = ? AND queue_place IS NOT NULL RETURNING ${givenUpColumns}`;
  putBack(scope, connection.all<GivenUpMail>(sql, id, topic));
}

/**
 * Puts what came from queues back into its old places there. Afterwards {@link handOut} is due for the topics.
 * @returns the topics, each once.
 */
export function putBack({ connection, tables }: WriteScope, mail: readonly GivenUpMail[]): readonly string[] {
  const sql = `INSERT INTO ${tables.queuedMessages} (place, topic, message_id, data, queued_at) VALUES (?, ?, ?, ?, ?)`;
  const topics = new Set<string>();
  for (const { topic, messageId, data, queuePlace, queuedAt } of mail) {
    if (queuePlace === null) continue;
    connection.run(sql, queuePlace, topic, messageId, data, queuedAt);
    topics.add(topic);
  }
  return [...topics];
}

/**
 * Gives what is queued to those who wait, the oldest to the longest-waiting. Bounded by what was sent and by who began to wait in this
 * transaction: before it there was nothing queued, or nobody waited.
 * @returns how many got one.
 */
export function handOut(scope: WriteScope, topic: string): number {
  const { connection, tables } = scope;
  const seeker = `SELECT id FROM ${tables.subscriptions} WHERE topic = ? AND seeking IS NOT NULL ORDER BY seeking LIMIT 1`;
  const oldest = `SELECT place, message_id AS messageId, data, queued_at AS queuedAt
    FROM ${tables.queuedMessages} INDEXED BY ${tables.queuedMessages}_of_topic WHERE topic = ? ORDER BY place LIMIT 1`;
  for (let handed = 0; ; handed++) {
    const id = connection.get<{ readonly id: number }>(seeker, topic)?.id;
    if (id === undefined) return handed;
    const message = connection.get<QueuedRow>(oldest, topic);
    if (message === undefined) return handed;
    connection.run(`DELETE FROM ${tables.queuedMessages} WHERE place = ?`, message.place);
    connection.run(
      `INSERT INTO ${tables.mailbox} (id, topic, message_id, data, queue_place, queued_at) VALUES (?, ?, ?, ?, ?, ?)`,
      ...[id, topic, message.messageId, message.data, message.place, message.queuedAt],
    );
    stopSeeking(scope, id, topic);
    drawAttention(scope, id);
  }
}

function stopSeeking({ connection, tables }: WriteScope, id: number, topic: string): void {
  const sql = `UPDATE ${tables.subscriptions} SET seeking = NULL WHERE id = ? AND topic = ? AND seeking IS NOT NULL`;
  connection.run(sql, id, topic);
}
