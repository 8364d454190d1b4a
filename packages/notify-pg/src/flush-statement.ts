// The one statement that sends everything that was gathered.
import type { AdvisoryKey } from './advisory-key.js';
import type { Statement } from './session.js';

/** What the statement asks about the server's queue of notes: nothing, how full it is, or that if nobody else does. */
export type QueueQuestion = 'nothing' | 'usage' | 'usage-if-elected';

export interface FlushParts {
  /** Names of channels, and beside each its payload. */
  readonly channels: readonly string[];
  readonly payloads: readonly string[];
  readonly question: QueueQuestion;
  readonly electionKey: AdvisoryKey;
  /** Whether the session is this process's own and has its settings; otherwise they are made for this transaction alone. */
  readonly isOwnSession: boolean;
}

/** Its one row: how many notes, and how full the queue is (null: not asked, or somebody else is elected). */
export function flushStatement({ channels, payloads, question, electionKey, isOwnSession }: FlushParts): Statement {
  // Most often it is one: by itself it is on its way sooner by what a list costs the server.
  if (isOwnSession && question === 'nothing' && channels.length === 1) {
    return { text: 'SELECT pg_notify($1, $2)', values: [channels[0], payloads[0]], name: 'romancy_notify_one' };
  }
  const columns = ['count(pg_notify(n.c, n.p))', questions[question](electionKey)];
  if (!isOwnSession) columns.push(...settings);
  return {
    text: `SELECT ${columns.join(', ')} FROM unnest($1::text[], $2::text[]) AS n(c, p)`,
    values: [channels, payloads],
    ...(isOwnSession && question === 'nothing' ? { name: 'romancy_notify' } : {}),
  };
}

/** How full the queue is, alone. The call also moves the end of the queue on, which a full one may be waiting for. */
export const queueUsageStatement: Statement = { text: 'SELECT pg_notification_queue_usage()', values: [] };

const questions: Readonly<Record<QueueQuestion, (key: AdvisoryKey) => string>> = {
  nothing: () => 'NULL',
  usage: () => 'pg_notification_queue_usage()',
  'usage-if-elected': ({ classId, objectId }) =>
    `CASE WHEN pg_try_advisory_lock(${classId}, ${objectId}) THEN pg_notification_queue_usage() END`,
};

/** For the transaction only: behind a pooler the session is others' as soon as it is committed. They hold for its commit. */
const settings = [`set_config('synchronous_commit', 'off', true)`, `set_config('lock_timeout', '250ms', true)`];
