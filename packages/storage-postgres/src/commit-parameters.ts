// Turns a batch of progress into the parameters of the function that commits it.
import type { NewHistoryEntry, NewInstance, NewSubscription, Settlement } from '@romancy/core/ports';
import type { Column } from './array-bytes.js';
import { arrayLiteral } from './array-literal.js';
import { ArrayParameter } from './array-parameter.js';
import { byBytes } from './byte-order.js';
import type { CommitContent } from './commit-content.js';
import { eventsOf, messagesOf, movesOf, recursOf, type CommitMessage } from './commit-effects.js';
import type { SqlValue } from './sql.js';
import { storedToken } from './start-token.js';
import { storedFilter } from './topic-filter.js';

type PlainSettlement = Exclude<Settlement, { readonly type: 'recur' }>;

/** In the order of the function's parameters; lists of rows that are not there, and what comes seldom and is not there, are null. */
export function parametersOf(batch: CommitContent): readonly SqlValue[] {
  const { workerId, entries, takenMail, subscriptions } = batch;
  return [
    workerId,
    ...startColumns(batch.starts),
    ...columns(byInstanceId(batch.starts), [['text', (start) => start.parent?.instanceId ?? null]]),
    ...entryColumns(entries),
    ...subscriptionColumns(subscriptions),
    ...takenColumns(takenMail),
    ...settlementColumns(batch.settlements),
    ...seldomSettled(batch),
    ...columns<CommitMessage>(messagesOf(batch), [
      ['text', (message) => message.gate],
      ['text', (message) => message.sender],
      ['integer', (message) => message.seq],
      ['text', (message) => message.messageId],
      ['text', (message) => message.topic],
      ['json', (message) => message.data],
      ['text', (message) => message.kind],
      ['text', (message) => message.target],
    ]),
    linkedOf(batch),
    movesOf(batch),
    eventsOf(batch),
    recursOf(batch.settlements),
  ];
}

/** Of the function for what is most frequent, likewise. */
export function runsParametersOf({
  workerId,
  starts,
  entries,
  subscriptions,
  takenMail,
  settlements,
}: CommitContent): readonly SqlValue[] {
  const [topics, paths, values, instances, , seqs] = subscriptionColumns(subscriptions);
  return [
    workerId,
    ...startColumns(starts),
    ...entryColumns(entries),
    ...[topics!, paths!, values!, instances!, seqs!],
    ...takenColumns(takenMail),
    ...settlementColumns(settlements),
  ];
}

/** Whether it may go to the function for what is most frequent: nothing in it concerns anybody but its own instances, or a queue. */
export function isRunsOnly(batch: CommitContent): boolean {
  const { starts, effects, granted, subscriptions, settlements, seen } = batch;
  return (
    effects.length + (granted?.length ?? 0) + (seen?.length ?? 0) === 0 &&
    starts.every(({ parent }) => parent === undefined) &&
    subscriptions.every(({ mode }) => mode === undefined) &&
    settlements.every(
      (settlement) =>
        settlement.type !== 'recur' &&
        (settlement.type !== 'finish' ||
          ((settlement.messages?.length ?? 0) + (settlement.cancels?.length ?? 0) === 0 &&
            (settlement.compensationFailures ?? null) === null)),
    ) &&
    linkedOf(batch) === null
  );
}

/** Who subscribes or joins and is not settled by the same batch, which changes his row. */
function linkedOf({ effects, granted, subscriptions, settlements }: CommitContent): string | null {
  const linked = new Set(subscriptions.map(({ instanceId }) => instanceId));
  for (const effect of effects) if (effect.type === 'join') linked.add(effect.instanceId);
  for (const effect of granted ?? []) if (effect.type === 'join') linked.add(effect.instanceId);
  if (linked.size === 0) return null;
  for (const { type, instanceId } of settlements) if (type !== 'recur') linked.delete(instanceId);
  return linked.size === 0 ? null : arrayLiteral([...linked], (instanceId) => instanceId);
}

const nothing: CommitContent = {
  ...{ workerId: '', starts: [], entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [] },
};

/** How many there are, of the one and of the other. */
export const parameterCount = parametersOf(nothing).length;
export const runsParameterCount = runsParametersOf(nothing).length;

function startColumns(starts: readonly NewInstance[]): readonly SqlValue[] {
  const sorted = byInstanceId(starts);
  const [ids, workflows, inputs, owned] = columns(sorted, [
    ['text', (start) => start.instanceId],
    ['text', (start) => start.workflowName],
    ['json', (start) => start.input],
    ['boolean', (start) => start.owned],
  ]);
  return [ids!, workflows!, inputs!, ...sparse(sorted, [['text', storedToken]]), owned!];
}

function entryColumns(entries: readonly NewHistoryEntry[]): readonly SqlValue[] {
  return [
    ...columns(entries, [
      ['text', (entry) => entry.instanceId],
      ['integer', (entry) => entry.seq],
      ['text', (entry) => entry.kind],
      ['text', (entry) => entry.callId],
      ['integer', (entry) => entry.position],
      ['json', (entry) => entry.data],
    ]),
    ...sparse(entries, [['float8', (entry) => entry.dueAt]]),
  ];
}

function takenColumns(taken: CommitContent['takenMail']): readonly SqlValue[] {
  return columns(taken, [
    ['text', ({ instanceId }) => instanceId],
    ['bigint', ({ mailId }) => mailId],
  ]);
}

function subscriptionColumns(subscriptions: readonly NewSubscription[]): readonly SqlValue[] {
  const filters = subscriptions.map(storedFilter);
  const [topics, instances, seqs] = columns(subscriptions, [
    ['text', ({ topic }) => topic],
    ['text', ({ instanceId }) => instanceId],
    ['integer', ({ seq }) => seq ?? 0],
  ]);
  const [paths, values] = columns(filters, [
    ['text', ({ path }) => path],
    ['text', ({ value }) => value],
  ]);
  // None: the function does not look at modes.
  const [modes] = sparse(subscriptions, [['text', ({ mode }) => mode ?? null]]);
  return [topics!, paths!, values!, instances!, modes!, seqs!];
}

function settlementColumns(all: readonly Settlement[]): readonly SqlValue[] {
  const settlements = plainOf(all);
  return [
    ...columns(settlements, [
      ['text', (settlement) => settlement.instanceId],
      ['integer', (settlement) => settlement.claim],
      ['text', (settlement) => settlement.type],
      ['text', (settlement) => statusAfter(settlement)],
    ]),
    ...sparse(settlements, [
      ['float8', (settlement) => ('wakeAt' in settlement ? settlement.wakeAt : null)],
      ['json', (settlement) => (settlement.type === 'finish' ? settlement.output : null)],
      ['json', (settlement) => ('error' in settlement ? settlement.error : null)],
    ]),
  ];
}

/** What few settlements come with: compensations that failed, and the versions of the rows that runs know. */
function seldomSettled({ settlements: all, seen = [] }: CommitContent): readonly SqlValue[] {
  const settlements = plainOf(all);
  const failures = (settlement: PlainSettlement): string | null =>
    settlement.type === 'finish' ? (settlement.compensationFailures ?? null) : null;
  const marks = new Map(seen.map(({ instanceId, mark }) => [instanceId, mark]));
  return sparse(settlements, [
    ['text', failures],
    ['bigint', ({ instanceId }) => marks.get(instanceId) ?? null],
  ]);
}

function plainOf(all: readonly Settlement[]): readonly PlainSettlement[] {
  return byInstanceId(all.filter((settlement): settlement is PlainSettlement => settlement.type !== 'recur'));
}

/** A list per column; null in place of each when there are no rows: the function then leaves that part out. */
function columns<T>(rows: readonly T[], all: readonly Column<T>[]): readonly SqlValue[] {
  return all.map((column) => (rows.length === 0 ? null : ArrayParameter.of(rows, column)));
}

/** Likewise; null also in place of one that is null in every row: each that is sent is read and kept for the call, and most rows have neither. */
function sparse<T>(rows: readonly T[], all: readonly Column<T>[]): readonly SqlValue[] {
  return all.map((column) => (rows.every((row) => column[1](row) === null) ? null : ArrayParameter.of(rows, column)));
}

function byInstanceId<T extends { readonly instanceId: string }>(rows: readonly T[]): readonly T[] {
  if (rows.length < 2) return rows;
  return [...rows].sort((a, b) => byBytes(a.instanceId, b.instanceId));
}

function statusAfter(settlement: PlainSettlement): string {
  switch (settlement.type) {
    case 'park':
    case 'finish':
      return settlement.status;
    case 'release':
      return 'pending';
    case 'stall':
      return 'stalled';
  }
}
