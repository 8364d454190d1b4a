// What the functions that commit a batch answer, read.
import type { ProgressResult } from '@romancy/core/ports';
import type { Row } from './row.js';

/** What a commit came to. */
export interface CommitAnswer {
  /** The database's clock in milliseconds. */
  readonly clock: number;
  /** Ids of starts. */
  readonly conflicts: readonly string[];
  /** Ids of settlements. */
  readonly refused: readonly string[];
  readonly undelivered: ProgressResult['undelivered'];
  /** To whom messages of queues came. Null: to nobody. */
  readonly handed: readonly HandedRow[] | null;
}

/** An instance, a topic, a message's id, whether the instance is this worker's (null: it is nobody's), the mail and its data if it is, and a mark. */
export type HandedRow = readonly [string, string, string, boolean | null, string | null, string | null, string | null];

type Ids = readonly string[];

/** Of the function that takes everything: a column for each. @returns null when the worker is not alive. */
export function readAnswer([alive, clock, conflicts, refused, undelivered, undeliveredAtEnd, handed]: Row): CommitAnswer | null {
  if (alive !== 't') return null;
  return {
    clock: Number(clock),
    conflicts: list(conflicts),
    refused: list(refused),
    undelivered: [...list<Undelivered>(undelivered), ...list<Undelivered>(undeliveredAtEnd)],
    handed: typeof handed === 'string' ? list<HandedRow>(handed) : null,
  };
}

/** Of the function for what is most frequent: as a rule nothing but the clock. @returns null when the worker is not alive. */
export function readRunsAnswer([text]: Row): CommitAnswer | null {
  if (typeof text !== 'string') return null;
  if (!text.startsWith('[')) return { clock: Number(text), conflicts: [], refused: [], undelivered: [], handed: null };
  const [clock, conflicts, refused, handed] = JSON.parse(text) as [number, Ids | null, Ids | null, readonly HandedRow[] | null];
  return { clock, conflicts: conflicts ?? [], refused: refused ?? [], undelivered: [], handed };
}

type Undelivered = ProgressResult['undelivered'][number];

function list<T = string>(json: string | null | undefined): readonly T[] {
  return typeof json === 'string' ? (JSON.parse(json) as T[]) : [];
}
