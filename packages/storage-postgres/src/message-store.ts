// Messages on PostgreSQL: modes, members of groups, and what comes from outside.
import {
  messageWakeup,
  type ChannelMode,
  type Delivery,
  type IncomingMessage,
  type MessageStore,
  type Wakeup,
} from '@romancy/core/ports';
import type { Row } from './connection.js';
import type { Database } from './database.js';
import { createDeliverCall } from './deliver-function.js';
import { fixModeFunction } from './fix-mode-function.js';
import { functionName } from './function-settings.js';
import { raw, sql } from './sql.js';
import type { TableNames } from './table-names.js';

export function createMessageStore(database: Database, tables: TableNames): MessageStore {
  const deliverCall = createDeliverCall(tables);
  const fixMode = raw(functionName(tables, fixModeFunction));
  return {
    async fixMode({ topic, mode }) {
      const [row] = await database.rows(sql`SELECT ${fixMode}(${topic}, ${mode})`);
      return row![0] as ChannelMode;
    },

    async members(group) {
      const rows = await database.rows(sql`
        SELECT g.instance_id FROM ${tables.groupMembers} g WHERE g.group_name = ${group} ORDER BY g.instance_id`);
      return rows.map((row) => row[0]!);
    },

    async deliver(message) {
      const answer = ([row]: readonly Row[]): Delivery => deliveryOf(message, row!);
      const told = { name: deliverCall.name, wakeups: (rows: readonly Row[]) => answer(rows).wakeups };
      return answer(await database.rowsWithNotes(deliverCall.of(message), told));
    },
  };
}

function deliveryOf(message: IncomingMessage, [outcome, count, startedList = null]: Row): Delivery {
  const receivers = Number(count);
  const started = startedList === null ? [] : (JSON.parse(startedList) as Delivery['started']);
  const resumable = started.map((instance): Wakeup => ({ kind: 'workflow_resumable', ...instance }));
  return {
    outcome: outcome as Delivery['outcome'],
    receivers,
    started,
    wakeups: receivers === 0 ? resumable : [messageWakeup(message), ...resumable],
  };
}
