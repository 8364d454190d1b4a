// The part of the storage by which messages and events find their receivers.
import type { MessageStore } from '@romancy/core/ports';
import { fixMode } from './channel-mode.js';
import { deliverMessage } from './deliver-message.js';
import type { SqliteFile } from './sqlite-file.js';

export function createMessageStore(file: SqliteFile): MessageStore {
  const { tables } = file;
  return {
    fixMode: (request) => file.write((connection) => fixMode({ connection, tables, now: file.now() }, request)),
    // By the bytes of UTF-8, as the key holds them.
    members: (group) =>
      file.read((connection) => {
        const sql = `SELECT instance_id AS instanceId FROM ${tables.groupMembers} WHERE group_name = ? ORDER BY instance_id`;
        return connection.all<{ readonly instanceId: string }>(sql, group).map(({ instanceId }) => instanceId);
      }),
    deliver: (message) => file.write((connection) => deliverMessage({ connection, tables, now: file.now() }, message)),
    deliverAll: (messages) =>
      file.write((connection) => {
        const scope = { connection, tables, now: file.now() };
        return messages.map((message) => deliverMessage(scope, message));
      }),
  };
}
