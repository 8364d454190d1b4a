// Messages on PostgreSQL: modes, members of groups, and what comes from outside.
import {
  messageWakeup,
  type ChannelMode,
  type Delivery,
  type IncomingMessage,
  type MessageStore,
  type Wakeup,
} from '@romancy/core/ports';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { createDeliverCall } from './deliver-function.js';
import { fixModeFunction } from './fix-mode-function.js';
import { functionName } from './function-settings.js';
import { raw, sql } from './sql.js';
import type { TableNames } from './table-names.js';

export function createMessageStore(database: Database, tables: TableNames): MessageStore {
  const deliverCall = createDeliverCall(tables);
  const fixMode = raw(functionName(tables, fixModeFunction));
  const deliverAll = async (messages: readonly IncomingMessage[]): Promise<readonly Delivery[]> => {
    if (messages.length === 0) return [];
    const deliveries = ([row]: readonly Row[]): readonly Delivery[] => deliveriesOf(messages, row!);
    const told = {
      name: deliverCall.name,
      wakeups: (rows: readonly Row[]) => deliveries(rows).flatMap(({ wakeups }) => wakeups),
    };
    return deliveries(await database.rowsWithNotes(deliverCall.of(messages), told));
  };
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
      const [delivery] = await deliverAll([message]);
      return delivery!;
    },

    deliverAll,
  };
}

function deliveriesOf(
  messages: readonly IncomingMessage[],
  [outcomeList, countList, startedList = null]: Row,
): readonly Delivery[] {
  const outcomes = JSON.parse(outcomeList!) as readonly Delivery['outcome'][];
  const counts = JSON.parse(countList!) as readonly number[];
  const starts = startedList === null ? [] : (JSON.parse(startedList) as readonly Started[]);
  return messages.map((message, index) => {
    const receivers = counts[index]!;
    const started = starts
      .filter(({ place }) => place === index + 1)
      .map(({ instanceId, workflowName }) => ({ instanceId, workflowName }));
    const resumable = started.map((instance): Wakeup => ({ kind: 'workflow_resumable', ...instance }));
    const wakeups = receivers === 0 ? resumable : [messageWakeup(message), ...resumable];
    return { outcome: outcomes[index]!, receivers, started, wakeups };
  });
}

/** What the message at a place, from 1, has started. */
interface Started {
  readonly place: number;
  readonly instanceId: string;
  readonly workflowName: string;
}
