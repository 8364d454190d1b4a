// The outbox as people look after it: what waits, what was given up, what may be sent again or go.
import { InvalidArgumentError } from '../domain/errors.js';
import { isName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { outboxStatuses, subjectOfStream, type OutboxStatus, type OutgoingEvent } from '../domain/outbox.js';
import type { Codec } from '../ports/codec.js';
import type { OutboxFilter, OutboxRecord } from '../ports/outbox-store.js';
import type { Storage } from '../ports/storage.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import { printable } from './printable.js';

/** An event of the outbox. */
export interface OutboxEventView {
  readonly eventId: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string | undefined;
  readonly status: OutboxStatus;
  /** How many attempts there were. */
  readonly attempts: number;
  /** As its sender gets it. */
  readonly event: OutgoingEvent;
  /** What the last attempt failed with; undefined: there was none, or the event was sent. */
  readonly error: unknown;
  readonly createdAt: Date;
  /** When it is to be sent (again); null unless pending. */
  readonly dueAt: Date | null;
  /** When it was sent, or given up; null before. */
  readonly endedAt: Date | null;
}

/** One page of events. */
export interface OutboxPage {
  readonly events: readonly OutboxEventView[];
  /** Give it to `list` for the next page; undefined: this was the last. */
  readonly cursor: string | undefined;
}

export interface OutboxListOptions {
  /** One status or several. */
  readonly status?: OutboxStatus | readonly OutboxStatus[];
  readonly type?: string;
  /** Default 50, at most 1,000. */
  readonly limit?: number;
  /** The `cursor` of the page before; undefined: the first page. */
  readonly cursor?: string | undefined;
}

/** Which events to send again: those that are `failed` or `invalid` and fit. One member at least. */
export interface OutboxRequeueOptions {
  readonly ids?: readonly string[];
  readonly type?: string;
  /** Default: both. */
  readonly status?: 'failed' | 'invalid' | readonly ('failed' | 'invalid')[];
}

/** Which events to remove: those that fit and are not being sent at this moment. `ids` or `status` at least. */
export interface OutboxPurgeOptions {
  readonly ids?: readonly string[];
  readonly type?: string;
  /** A `pending` one that is removed is never sent. */
  readonly status?: Exclude<OutboxStatus, 'sending'> | readonly Exclude<OutboxStatus, 'sending'>[];
  /** Written before. */
  readonly before?: Date;
}

const listNames = namesOf<OutboxListOptions>({ status: true, type: true, limit: true, cursor: true });
const requeueNames = namesOf<OutboxRequeueOptions>({ ids: true, type: true, status: true });
const purgeNames = namesOf<OutboxPurgeOptions>({ ids: true, type: true, status: true, before: true });
const requeueable: readonly OutboxStatus[] = ['failed', 'invalid'];
const purgeable = outboxStatuses.filter((status) => status !== 'sending');
/** The last moment that a Date can hold. */
const lastMoment = 8.64e15;
const mostPerPage = 1000;

export interface AppOutboxParts {
  readonly storage: Storage;
  readonly scheduler: Scheduler;
  readonly codec: Codec;
  readonly stopSignal: AbortSignal;
  /** As of the app's life: undefined while it runs. */
  readonly running: (what: string) => Promise<void> | undefined;
}

/** While the storage is unavailable, `requeue` and `purge` try again until it answers or `stop` comes; `list` rejects. */
export class AppOutbox {
  readonly #parts: AppOutboxParts;

  constructor(parts: AppOutboxParts) {
    this.#parts = parts;
  }

  /** Events, oldest first, by pages. @throws InvalidArgumentError, ConfigurationError, StorageUnavailableError */
  async list(options: OutboxListOptions = {}): Promise<OutboxPage> {
    await this.#parts.running('outbox.list');
    checkKnownOptions(options, listNames, 'outbox.list: options');
    const limit = options.limit ?? 50;
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > mostPerPage) {
      throw refused('list: limit', limit, `a whole number from 1 to ${mostPerPage}`);
    }
    const filter: OutboxFilter = {
      status: statusesOf(options.status, outboxStatuses, 'list: status'),
      eventIds: undefined,
      type: textOf(options.type, 'list: type'),
      before: undefined,
    };
    const after = options.cursor === undefined ? undefined : parseCursor(options.cursor);
    // One more than asked for tells whether another page follows.
    const records = await this.#parts.storage.outbox.list({ ...filter, limit: limit + 1, after });
    const page = records.slice(0, limit);
    const last = page.at(-1);
    return {
      events: page.map((record) => viewOf(record, this.#parts.codec)),
      cursor: records.length > limit && last !== undefined ? cursorAfter(last) : undefined,
    };
  }

  /**
   * Lets events be sent again that were given up, in their old place in their stream, with all attempts before them.
   * @returns how many; after an outage in between, at least so many.
   * @throws InvalidArgumentError, ConfigurationError
   */
  async requeue(options: OutboxRequeueOptions): Promise<number> {
    await this.#parts.running('outbox.requeue');
    checkKnownOptions(options, requeueNames, 'outbox.requeue: options');
    const filter: OutboxFilter = {
      status: statusesOf(options.status, requeueable, 'requeue: status') ?? requeueable,
      eventIds: idsOf(options.ids, 'requeue: ids'),
      type: textOf(options.type, 'requeue: type'),
      before: undefined,
    };
    if (options.ids === undefined && options.type === undefined && options.status === undefined) {
      throw refused('requeue: options', options, 'ids, type or status');
    }
    const { storage, scheduler } = this.#parts;
    let requeued = 0;
    let after: string | undefined;
    // By their ids, page by page: each of them once, also when one that was requeued has failed again meanwhile.
    do {
      const page = await this.#keepTrying(() => storage.outbox.list({ ...filter, limit: mostPerPage, after }));
      const eventIds = page.map(({ eventId }) => eventId);
      if (eventIds.length > 0) {
        const answer = await this.#keepTrying(() => storage.outbox.requeue({ ...filter, eventIds, limit: eventIds.length }));
        requeued += answer.requeued;
        // After a lost answer there is nobody else who would tell.
        const [eventId] = eventIds;
        scheduler.tellAll(answer.wakeups.length > 0 ? answer.wakeups : [{ kind: 'outbox_pending', eventId: eventId! }]);
      }
      after = eventIds.length < mostPerPage ? undefined : eventIds.at(-1);
    } while (after !== undefined);
    return requeued;
  }

  /** Removes events for good. @returns how many. @throws InvalidArgumentError, ConfigurationError */
  async purge(options: OutboxPurgeOptions): Promise<number> {
    await this.#parts.running('outbox.purge');
    checkKnownOptions(options, purgeNames, 'outbox.purge: options');
    const before: unknown = options.before;
    if (before !== undefined && !(before instanceof Date && !Number.isNaN(before.getTime()))) {
      throw refused('purge: before', before, 'a valid Date');
    }
    const filter: OutboxFilter = {
      status: statusesOf(options.status, purgeable, 'purge: status'),
      eventIds: idsOf(options.ids, 'purge: ids'),
      type: textOf(options.type, 'purge: type'),
      before: before === undefined ? undefined : Math.min(Math.max(0, before.getTime()), lastMoment),
    };
    if (options.ids === undefined && options.status === undefined) throw refused('purge: options', options, 'ids or status');
    const { storage } = this.#parts;
    let purged = 0;
    for (;;) {
      const answer = await this.#keepTrying(() => storage.outbox.purge({ ...filter, limit: mostPerPage }));
      purged += answer.purged;
      if (answer.purged < mostPerPage) return purged;
    }
  }

  #keepTrying<T>(call: () => Promise<T>): Promise<T> {
    return this.#parts.scheduler.health.keepTrying(call, this.#parts.stopSignal);
  }
}

/** Values are decoded when they are looked at. */
function viewOf(record: OutboxRecord, codec: Codec): OutboxEventView {
  const { eventId, type, source, stream, status, attempts, data, error, createdAt, dueAt, endedAt } = record;
  return printable({
    eventId,
    type,
    source,
    subject: subjectOfStream(stream),
    status,
    attempts,
    get event() {
      return codec.decode(data) as OutgoingEvent;
    },
    get error() {
      return error === null ? undefined : codec.decode(error);
    },
    createdAt: new Date(createdAt),
    dueAt: dueAt === null ? null : new Date(dueAt),
    endedAt: endedAt === null ? null : new Date(endedAt),
  });
}

function statusesOf(
  given: OutboxStatus | readonly OutboxStatus[] | undefined,
  allowed: readonly OutboxStatus[],
  argument: string,
): readonly OutboxStatus[] | undefined {
  if (given === undefined) return undefined;
  const statuses = (Array.isArray(given) ? given : [given]) as readonly OutboxStatus[];
  for (const status of statuses) if (!allowed.includes(status)) throw refused(argument, status, allowed.join(', '));
  return statuses;
}

function idsOf(given: readonly string[] | undefined, argument: string): readonly string[] | undefined {
  if (given === undefined || (Array.isArray(given) && given.every(isName))) return given;
  throw refused(argument, given, 'a list of ids of events');
}

function textOf(given: string | undefined, argument: string): string | undefined {
  if (given === undefined || isName(given)) return given;
  throw refused(argument, given, 'the type of events');
}

/** Opaque to users. */
function cursorAfter({ eventId }: OutboxRecord): string {
  return Buffer.from(JSON.stringify([eventId])).toString('base64url');
}

function parseCursor(cursor: string): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 1 && isName(parsed[0])) return parsed[0];
  } catch {
    // Not ours: refused below.
  }
  throw refused('list: cursor', cursor, 'the cursor that an earlier page gave');
}

function refused(what: string, value: unknown, allowed: string): InvalidArgumentError {
  const shown =
    typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : value === null ? 'null' : typeof value;
  const argument = what.slice(what.indexOf(': ') + 2);
  return new InvalidArgumentError(`outbox.${what} is ${shown}; it takes ${allowed}`, { argument });
}
