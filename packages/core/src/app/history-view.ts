// History as users see it.
import { InvalidArgumentError } from '../domain/errors.js';
import type { HistoryEntry, HistoryKind } from '../domain/history.js';
import type { Codec } from '../ports/codec.js';
import { printable } from './printable.js';

/** One entry. */
export interface HistoryView {
  /** Ascending; gaps are allowed. */
  readonly seq: number;
  readonly kind: HistoryKind;
  /** The id of the durable call, such as `charge:1`. */
  readonly callId: string;
  /** What was recorded: an output, an error, an event. Undefined when the kind has nothing. */
  readonly data: unknown;
  /** When the call is due; null when it has no time limit. */
  readonly dueAt: Date | null;
  readonly recordedAt: Date;
}

export interface HistoryOptions {
  /** The `seq` of the last entry of the page before. Default: from the beginning. */
  readonly after?: number;
  /** Default and most: 1,000. */
  readonly limit?: number;
}

const mostPerPage = 1000;

/** @throws InvalidArgumentError */
export function toHistoryPage({ after = 0, limit = mostPerPage }: HistoryOptions): {
  readonly afterSeq: number;
  readonly limit: number;
} {
  if (!Number.isSafeInteger(after) || after < 0) {
    throw new InvalidArgumentError(`history: after is ${String(after)}; it takes the seq of an entry`, { argument: 'after' });
  }
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > mostPerPage) {
    throw new InvalidArgumentError(`history: limit is ${String(limit)}; it takes a whole number from 1 to ${mostPerPage}`, {
      argument: 'limit',
    });
  }
  return { afterSeq: after, limit };
}

/** Data is decoded when it is looked at. */
export function historyViewOf(entry: HistoryEntry, codec: Codec): HistoryView {
  const { seq, kind, callId, data, dueAt, recordedAt } = entry;
  return printable({
    seq,
    kind,
    callId,
    get data() {
      return data === null ? undefined : codec.decode(data);
    },
    dueAt: dueAt === null ? null : new Date(dueAt),
    recordedAt: new Date(recordedAt),
  });
}
