// The modes of topics of channels.
import type { ChannelMode } from '@romancy/core/ports';
import type { WriteScope } from './write-scope.js';

/** A mode may be remembered for so many milliseconds after it was asked for: a day. */
export const modeStaysMs = 86_400_000;

interface ChannelRow {
  readonly mode: ChannelMode;
  readonly usedAt: number;
}

/** The mode that somebody gave the topic; undefined: nobody has. */
export function modeOf(
  { connection, tables }: Pick<WriteScope, 'connection' | 'tables'>,
  topic: string,
): ChannelMode | undefined {
  return connection.get<ChannelRow>(`SELECT mode, used_at AS usedAt FROM ${tables.channels} WHERE topic = ?`, topic)?.mode;
}

/** Gives the topic its mode, if it has none or one that nothing keeps any more. @returns the mode that it has. */
export function fixMode(scope: WriteScope, { topic, mode }: { readonly topic: string; readonly mode: ChannelMode }): ChannelMode {
  const { connection, tables, now } = scope;
  const row = connection.get<ChannelRow>(`SELECT mode, used_at AS usedAt FROM ${tables.channels} WHERE topic = ?`, topic);
  if (row !== undefined && (row.mode === mode || row.usedAt > now - modeStaysMs || isInUse(scope, topic))) {
    connection.run(`UPDATE ${tables.channels} SET used_at = ? WHERE topic = ?`, now, topic);
    return row.mode;
  }
  connection.run(
    `INSERT INTO ${tables.channels} (topic, mode, used_at) VALUES (?, ?, ?)
      ON CONFLICT (topic) DO UPDATE SET mode = excluded.mode, used_at = excluded.used_at`,
    ...[topic, mode, now],
  );
  // What was queued before anybody said what kind of channel it is: a backlog for those who compete, and for nobody else.
  if (mode !== 'competing') connection.run(`DELETE FROM ${tables.queuedMessages} WHERE topic = ?`, topic);
  return mode;
}

/** Whether anybody is subscribed, or anything queued. */
export function isInUse({ connection, tables }: Pick<WriteScope, 'connection' | 'tables'>, topic: string): boolean {
  return (
    connection.get(`SELECT 1 FROM ${tables.subscriptions} WHERE topic = ? LIMIT 1`, topic) !== undefined ||
    connection.get(`SELECT 1 FROM ${tables.queuedMessages} WHERE topic = ? LIMIT 1`, topic) !== undefined
  );
}
