// What became of events that a relayer had.
import type { EventResult, OutboxStore } from '@romancy/core/ports';
import { requireAlive } from './fence.js';
import { findNext } from './outbox-streams.js';
import type { WriteScope } from './write-scope.js';

/** Events that the worker does not have, or not any more, are left alone: so it can be repeated. */
export function settleEvents(
  scope: WriteScope,
  { workerId, results }: Parameters<OutboxStore['settle']>[0],
): Awaited<ReturnType<OutboxStore['settle']>> {
  requireAlive(scope.connection, scope.tables, workerId);
  const streams = new Set<string>();
  for (const result of results) {
    const stream = settleEvent(scope, workerId, result);
    if (stream !== undefined) streams.add(stream);
  }
  for (const stream of streams) findNext(scope, stream);
  return { now: scope.now };
}

/** @returns its stream; undefined when the worker does not have it. */
function settleEvent(scope: WriteScope, workerId: string, result: EventResult): string | undefined {
  const { connection, tables, now } = scope;
  const update = (assignments: string, ...values: readonly unknown[]): string | undefined =>
    connection.get<{ readonly stream: string }>(
      `UPDATE ${tables.outbox} SET owner = NULL, ${assignments} WHERE event_id = ? AND owner = ? RETURNING stream`,
      ...[...values, result.eventId, workerId],
    )?.stream;
  const failed = 'attempts = attempts + 1, error = ?, failed_since = ifnull(failed_since, ?)';
  switch (result.type) {
    case 'sent':
      return update(`status = 'sent', attempts = attempts + 1, error = NULL, ended_at = ?`, now);
    case 'release':
      return update(`status = 'pending'`);
    case 'retry':
      return update(`status = 'pending', due_at = ?, ${failed}`, result.dueAt, result.error, now);
    case 'failed':
    case 'invalid':
      return update(`status = ?, ended_at = ?, ${failed}`, result.type, now, result.error, now);
  }
}
