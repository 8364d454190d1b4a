// The one statement that sends everything that was gathered.
import type { AdvisoryKey } from './advisory-key.js';
import type { Statement } from './session.js';

/** What the statement asks about the server's queue of notes: nothing, how full it is, or that if nobody else does. */
export type QueueQuestion = 'nothing' | 'usage' | 'usage-if-elected';

export interface FlushParts {
  /** Names of channels, and the payloads of each, none of which has a line break: JSON writes it otherwise. */
  readonly notes: readonly (readonly [channel: string, payloads: readonly string[]])[];
  readonly question: QueueQuestion;
  readonly electionKey: AdvisoryKey;
  /** Whether the session is this process's own and has its settings; otherwise they are made for this transaction alone. */
  readonly isOwnSession: boolean;
}

/** Its one row: how many notes, and how full the queue is (null: not asked, or somebody else is elected). */
export function flushStatement({ notes, question, electionKey, isOwnSession }: FlushParts): Statement {
  const [first] = notes;
  const isPrepared = isOwnSession && question === 'nothing';
  // Most often it is one: by itself it is on its way sooner by what a list costs the server. NOTIFY would be sooner still, but to the server's
  // statistics of statements each payload of it is a statement of its own.
  if (isPrepared && notes.length === 1 && first![1].length === 1) {
    return { text: 'SELECT pg_notify($1, $2)', values: [first![0], first![1][0]], name: 'romancy_notify_one' };
  }
  const columns = ['count(pg_notify(k.channel, n.payload))', questions[question](electionKey)];
  if (!isOwnSession) columns.push(...settings);
  // One text for each channel: a list would have every payload quoted by the driver, and that undone by the server.
  const lists = notes.map((_, index) => `($${2 * index + 1}::text, $${2 * index + 2}::text)`);
  return {
    text:
      `SELECT ${columns.join(', ')} FROM (VALUES ${lists.join(', ')}) AS k (channel, payloads), ` +
      `unnest(string_to_array(k.payloads, E'\\n')) AS n (payload)`,
    values: notes.flatMap(([channel, payloads]) => [channel, payloads.join('\n')]),
    // A statement for each number of channels, of which there are ten at most.
    ...(isPrepared ? { name: `romancy_notify_${notes.length}` } : {}),
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
