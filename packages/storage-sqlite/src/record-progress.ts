// Writes what became known about instances: starts, entries with their effects, subscriptions, taken mail.
import type { NewHistoryEntry, PendingProgress, ProgressResult } from '@romancy/core/ports';
import { applyEffects } from './apply-effects.js';
import { fixMode } from './channel-mode.js';
import { startInstance } from './start-instance.js';
import { statementText } from './statement-text.js';
import { filterTexts } from './topic-filter.js';
import type { WorkerScope } from './worker-scope.js';

/** What came of it. */
export interface RecordedProgress extends Pick<ProgressResult, 'conflicts' | 'undelivered'> {
  /** Whether the entry was written: one of its number that was there before stays. */
  readonly isNew: (entry: Pick<NewHistoryEntry, 'instanceId' | 'seq'>) => boolean;
}

const none: ReadonlySet<string> = new Set();
const insertEntry = statementText(
  ({ history, instances }) => `INSERT INTO ${history} (id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT id, ?, ?, ?, ?, ?, ?, ? FROM ${instances} WHERE instance_id = ? ON CONFLICT (id, seq) DO NOTHING`,
);

/** Everything that is there already stays as it is, and what came with it is left out: so it can be repeated. */
export function recordProgress(scope: WorkerScope, progress: PendingProgress): RecordedProgress {
  const { workerId, lookup } = scope;
  const conflicts = progress.starts.filter((start) => !startInstance(scope, start)).map(({ instanceId }) => instanceId);
  // What is said of a refused start would land with the instance of somebody else. An id that this worker runs itself is meant: it
  // cannot run two, so a further start of it has done nothing yet.
  const strangers = new Set(conflicts.filter((instanceId) => lookup.get(instanceId).owner !== workerId));
  const isMeant = ({ instanceId }: { readonly instanceId: string }): boolean => !strangers.has(instanceId);
  const added = progress.entries.filter((entry) => isMeant(entry) && recordEntry(scope, entry));
  // Most commits have no effects, and nobody asks.
  let names: ReadonlySet<string> | undefined;
  const isNew = (entry: Pick<NewHistoryEntry, 'instanceId' | 'seq'>): boolean =>
    (names ??= new Set(added.map(nameOf))).has(nameOf(entry));
  // What an entry that was there subscribed to may be over since, in this very batch.
  const repeated =
    added.length === progress.entries.length ? none : new Set(progress.entries.filter((entry) => !isNew(entry)).map(nameOf));
  for (const subscription of progress.subscriptions.filter(isMeant)) {
    const { instanceId, seq } = subscription;
    if (seq === undefined || !repeated.has(nameOf({ instanceId, seq }))) subscribe(scope, subscription);
  }
  for (const taken of progress.takenMail.filter(isMeant)) removeTaken(scope, taken);
  // An entry that was there has had its effects in the commit that wrote it.
  const effects = progress.effects.filter((effect) => isMeant(effect) && isNew(effect));
  return { conflicts, undelivered: effects.length === 0 ? [] : applyEffects(scope, effects), isNew };
}

/** @returns false when an entry of that number is there already; that one stays. */
export function recordEntry({ connection, tables, lookup, now }: WorkerScope, entry: NewHistoryEntry): boolean {
  const { instanceId, seq, kind, callId, position, data, dueAt } = entry;
  const values = [seq, kind, callId, position, data, dueAt, now, instanceId];
  if (connection.run(insertEntry(tables), ...values).changes === 1) return true;
  // Throws when there is no such instance.
  lookup.get(instanceId);
  return false;
}

/** Only while the worker owns the instance: a repeated batch must leave none with an instance that has ended in the meantime. */
function subscribe(
  scope: WorkerScope,
  { instanceId, topic, mode, filter, seq = 0 }: PendingProgress['subscriptions'][number],
): void {
  const { connection, tables, workerId, lookup } = scope;
  const { id, owner } = lookup.get(instanceId);
  if (owner !== workerId) return;
  if (mode !== undefined) fixMode(scope, { topic, mode });
  const { path, value } = filterTexts(filter);
  connection.run(
    `INSERT INTO ${tables.subscriptions} (topic, path, value, id, seq) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (topic, path, value, id) DO NOTHING`,
    ...[topic, path, value, id, seq],
  );
}

function removeTaken(
  { connection, tables, lookup }: WorkerScope,
  { instanceId, mailId }: PendingProgress['takenMail'][number],
): void {
  const row = lookup.find(instanceId);
  const sql = `DELETE FROM ${tables.mailbox} WHERE mail_id = ? AND id = ?`;
  if (row !== undefined) connection.run(sql, Number(mailId), row.id);
}

function nameOf({ instanceId, seq }: Pick<NewHistoryEntry, 'instanceId' | 'seq'>): string {
  return `${seq} ${instanceId}`;
}
