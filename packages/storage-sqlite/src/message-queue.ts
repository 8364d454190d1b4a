// The queues of topics, and those who wait for a message out of one.
import type { OutgoingMessage } from '@romancy/core/ports';
import { modeOf } from './channel-mode.js';
import { drawAttention } from './draw-attention.js';
import type { TableNames } from './table-names.js';
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

/** The instance waits for one message of the topic, if that is competing and it is subscribed. It keeps its turn when it does so already. */
export function seek(scope: WriteScope, id: number, topic: string): void {
  const { connection, tables } = scope;
  if (modeOf(scope, topic) !== 'competing') return;
  // Turns need to be ordered among those who are waiting alone. Not by max(), which looks at all of them.
  const last = `SELECT seeking FROM ${tables.subscriptions} WHERE topic = ? AND seeking IS NOT NULL ORDER BY seeking DESC LIMIT 1`;
  const turn = (connection.get<{ readonly seeking: number }>(last, topic)?.seeking ?? 0) + 1;
  connection.run(`UPDATE ${ofInstance(tables)} SET seeking = ? WHERE id = ? AND topic = ? AND seeking IS NULL`, turn, id, topic);
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
    if (scope.handed !== undefined) {
      const name = `SELECT instance_id AS instanceId FROM ${tables.instances} WHERE id = ?`;
      const { instanceId } = connection.get<{ readonly instanceId: string }>(name, id)!;
      scope.handed.push({ instanceId, topic, messageId: message.messageId });
    }
  }
}

function stopSeeking({ connection, tables }: WriteScope, id: number, topic: string): void {
  const sql = `UPDATE ${ofInstance(tables)} SET seeking = NULL WHERE id = ? AND topic = ? AND seeking IS NOT NULL`;
  connection.run(sql, id, topic);
}

/** Left to itself, SQLite would look at all subscriptions of the topic, by the primary key, which begins with it. */
export function ofInstance({ subscriptions }: TableNames): string {
  return `${subscriptions} INDEXED BY ${subscriptions}_of_instance`;
}
