// The one statement that sends everything that was gathered.
import type { AdvisoryKey } from './advisory-key.js';
import type { Lines } from './note-bundle.js';
import { keptStatement, type KeptStatement, type StatementText } from './kept-statement.js';
import type { Statement } from './session.js';

/** What the statement asks about the server's queue of notes: nothing, how full it is, or that if nobody else does. */
export type QueueQuestion = 'nothing' | 'usage' | 'usage-if-elected';

/** Notes of one channel. */
export interface ChannelNotes extends Lines {
  readonly channel: string;
}

export interface FlushParts {
  /** A few. */
  readonly notes: readonly ChannelNotes[];
  readonly question: QueueQuestion;
  readonly electionKey: AdvisoryKey;
  /** Whether the session is this process's own and has its settings; otherwise they are made for this transaction alone. */
  readonly isOwnSession: boolean;
}

/** Its one row: how many notes, and how full the queue is (null: not asked, or somebody else is elected). */
export function flushStatement({ notes, question, electionKey, isOwnSession }: FlushParts): Statement {
  const columns = [sending, questions[question](electionKey)];
  if (!isOwnSession) columns.push(...settings);
  return { text: sendingAll(columns, notes.length), values: valuesOf(notes) };
}

/**
 * The same for a session of this process's own, where nothing is asked: it keeps them parsed, and nobody needs the row. Made for one sender, which tells of
 * few channels: what is the same each time is written once.
 */
export class KeptFlushes {
  readonly #one = new Map<string, KeptStatement>();
  readonly #lines = new Map<string, KeptStatement>();
  readonly #framed = new Map<string, KeptStatement>();
  readonly #lists = new Map<number, KeptStatement>();

  /** The statement, and the values that it takes beside those that it has. */
  of(notes: readonly ChannelNotes[]): { readonly kept: KeptStatement; readonly values: readonly string[] } {
    const [first] = notes;
    if (notes.length !== 1) return { kept: this.#ofLists(notes.length), values: valuesOf(notes) };
    const { channel, head, tail, texts, count } = first!;
    if (head !== '') return { kept: keptIn(this.#framed, channel, sendFramed), values: [head, tail, texts] };
    const kept = count === 1 ? keptIn(this.#one, channel, sendOne) : keptIn(this.#lines, channel, sendLines);
    return { kept, values: [texts] };
  }

  /** One for each number of lists, of which there are not many more than kinds. */
  #ofLists(count: number): KeptStatement {
    let kept = this.#lists.get(count);
    if (kept === undefined) {
      const statement = { name: `romancy_notify_${count}`, text: sendingAll([sending], count), parameters: 4 * count };
      this.#lists.set(count, (kept = keptStatement(statement)));
    }
    return kept;
  }
}

function keptIn(known: Map<string, KeptStatement>, channel: string, statement: StatementText): KeptStatement {
  let kept = known.get(channel);
  if (kept === undefined) known.set(channel, (kept = keptStatement(statement, [channel])));
  return kept;
}

/** How full the queue is, alone. The call also moves the end of the queue on, which a full one may be waiting for. */
export const queueUsageStatement: Statement = { text: 'SELECT pg_notification_queue_usage()', values: [] };

/**
 * Most often it is one: by itself it is on its way sooner by what a list costs the server. NOTIFY would be sooner still, but to the server's
 * statistics of statements each payload of it is a statement of its own.
 */
const sendOne = { name: 'romancy_notify_one', text: 'SELECT pg_notify($1, $2)', parameters: 2 };

/** A set in the list of columns is handed on row by row, in FROM it would be written down first: a tenth of what a note costs the server. */
const sendAll = (payload: string): string => `SELECT count(n.sent) FROM (SELECT pg_notify($1, ${payload}) AS sent) AS n`;

const sendLines = { name: 'romancy_notify', text: sendAll(`unnest(string_to_array($2, E'\\n'))`), parameters: 2 };

/** To put together what it would have to read otherwise costs the server less, by a sixth of what a note does. */
const sendFramed = {
  name: 'romancy_notify_framed',
  text: sendAll(`$2::text || unnest(string_to_array($4, E'\\n')) || $3::text`),
  parameters: 4,
};

const sending = 'count(pg_notify(k.channel, k.head || n.line || k.tail))';

/** One text for each list: each payload by itself would be quoted, and that undone by the server. */
function sendingAll(columns: readonly string[], lists: number): string {
  const rows = Array.from({ length: lists }, (_, list) => {
    const values = Array.from({ length: 4 }, (_, value) => `$${4 * list + value + 1}::text`);
    return `(${values.join(', ')})`;
  });
  return (
    `SELECT ${columns.join(', ')} FROM (VALUES ${rows.join(', ')}) AS k (channel, head, tail, lines), ` +
    `unnest(string_to_array(k.lines, E'\\n')) AS n (line)`
  );
}

function valuesOf(notes: readonly ChannelNotes[]): readonly string[] {
  const values: string[] = [];
  for (const { channel, head, tail, texts } of notes) values.push(channel, head, tail, texts);
  return values;
}

const questions: Readonly<Record<QueueQuestion, (key: AdvisoryKey) => string>> = {
  nothing: () => 'NULL',
  usage: () => 'pg_notification_queue_usage()',
  'usage-if-elected': ({ classId, objectId }) =>
    `CASE WHEN pg_try_advisory_lock(${classId}, ${objectId}) THEN pg_notification_queue_usage() END`,
};

/** For the transaction only: behind a pooler the session is others' as soon as it is committed. They hold for its commit. */
const settings = [`set_config('synchronous_commit', 'off', true)`, `set_config('lock_timeout', '250ms', true)`];
