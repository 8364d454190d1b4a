// Puts a message into mailboxes.
import type { OutgoingMessage } from '@romancy/core/ports';
import { drawAttention } from './draw-attention.js';
import type { WriteScope } from './write-scope.js';

/** From so many receivers on, two statements about all of them cost less than two for each. */
const many = 20;

/** Each of the instances, none of which has ended, gets it and is looked at. `ids`: their numbers inside of the database, each once. */
export function putMail(scope: WriteScope, message: Omit<OutgoingMessage, 'to'>, ids: readonly number[]): void {
  const { connection, tables, now } = scope;
  const { topic, messageId, data } = message;
  if (ids.length < many) {
    const sql = `INSERT INTO ${tables.mailbox} (id, topic, message_id, data) VALUES (?, ?, ?, ?)`;
    for (const id of ids) {
      connection.run(sql, id, topic, messageId, data);
      drawAttention(scope, id);
    }
    return;
  }
  const list = JSON.stringify(ids);
  connection.run(
    `INSERT INTO ${tables.mailbox} (id, topic, message_id, data) SELECT value, ?, ?, ? FROM json_each(?)`,
    ...[topic, messageId, data, list],
  );
  connection.run(
    `UPDATE ${tables.instances} SET attention = 1, wake_at = CASE WHEN owner IS NULL THEN min(ifnull(wake_at, ?), ?) END
      WHERE id IN (SELECT value FROM json_each(?))`,
    ...[now, now, list],
  );
}
