// `waitEvent`: what is waited for, checked, and how an event is matched.
import { checkSchema, validate } from '../../authoring/standard-schema.js';
import type { EventMatch } from '../../authoring/messaging.js';
import type { WaitEventOptions } from '../../authoring/workflow-context.js';
import type { ReceivedEvent } from '../../domain/cloud-event.js';
import { timeLimitMs } from '../../domain/duration.js';
import { InvalidArgumentError } from '../../domain/errors.js';
import { checkName } from '../../domain/ids.js';
import { atJsonPath, isJsonScalar, parseJsonPath } from '../../domain/json-path.js';
import { checkKnownOptions, namesOf } from '../../domain/known-options.js';
import { eventTopic } from '../../domain/topic.js';
import type { TopicFilter } from '../../ports/subscription.js';
import type { ContextHost } from '../context-host.js';
import type { MailFilter } from '../mailbox.js';
import { refuseInsideActivity } from '../nested-calls.js';
import { MailWaitCall } from '../operations/mail-wait-call.js';

/** So that every database can keep it in an index, beside a type and an instance's id. */
const longestPlace = 100;
const eventMembers = namesOf<ReceivedEvent>({
  id: true,
  type: true,
  source: true,
  subject: true,
  time: true,
  extensions: true,
  data: true,
});
const waitNames = namesOf<WaitEventOptions<unknown>>({ timeout: true, match: true, schema: true });

export function waitEvent<TData>(
  run: ContextHost,
  type: string,
  options: WaitEventOptions<TData> = {},
): Promise<ReceivedEvent<TData>> {
  refuseInsideActivity('waitEvent');
  checkName(type, 'event type');
  checkKnownOptions(options, waitNames, 'ctx.waitEvent: options');
  const { schema, timeout } = options;
  checkSchema(schema, 'ctx.waitEvent: schema');
  const timeoutMs = timeout === undefined ? null : timeLimitMs(timeout, 'ctx.waitEvent: timeout');
  const filters = options.match === undefined ? [] : toFilters(options.match);
  const topic = eventTopic(type);
  const filter = filters[0];
  const { position, id } = run.nextCall(type);
  const call = new MailWaitCall<ReceivedEvent<TData>>(run, {
    position,
    id,
    verb: 'wait for event',
    topic,
    name: type,
    status: 'waiting_for_event',
    kinds: { set: 'wait_set', received: 'event_received', timedOut: 'wait_timed_out' },
    timeoutMs,
    subscription: filter === undefined ? { topic } : { topic, filter },
    isWanted: filters.length === 0 ? undefined : wanted(filters),
    seeks: false,
    accept: (received) => {
      const event = received as ReceivedEvent<TData>;
      if (schema === undefined) return event;
      return validate(schema, event.data, `data of event ${type}`).then((data) => ({ ...event, data }));
    },
  });
  run.open(call);
  return call.promise;
}

/** @throws InvalidArgumentError naming the place */
function toFilters(match: EventMatch): readonly TopicFilter[] {
  if (typeof match !== 'object' || match === null || Array.isArray(match) || Object.keys(match).length === 0) {
    throw new InvalidArgumentError(`ctx.waitEvent: match takes an object such as { 'data.order.id': 42 }`, { argument: 'match' });
  }
  return Object.entries(match).map(([place, equals]) => {
    const path = parseJsonPath(place);
    if (path === undefined || path.length === 0 || place.length > longestPlace) {
      throw new InvalidArgumentError(
        `ctx.waitEvent: match[${JSON.stringify(place)}] is no place such as subject, data.order.id, data.items[0], of up to ${longestPlace} characters`,
        {
          argument: 'match',
        },
      );
    }
    // Nothing is there in any event, and the wait would never end.
    if (!eventMembers.has(String(path[0]))) {
      throw new InvalidArgumentError(
        `ctx.waitEvent: match[${JSON.stringify(place)}] begins with no member of an event; there are ${[...eventMembers].join(', ')}, so write 'data.order.id' for the order's id in the data`,
        { argument: 'match' },
      );
    }
    if (!isJsonScalar(equals)) {
      throw new InvalidArgumentError(
        `ctx.waitEvent: match[${JSON.stringify(place)}] is ${typeof equals}; it takes a string, a finite number, a boolean or null`,
        { argument: 'match' },
      );
    }
    return { path, equals };
  });
}

/** Compared in what was written, as the database does: what a Date or a bigint became there is not the value that the code sees. */
function wanted(filters: readonly TopicFilter[]): MailFilter {
  return ({ data }) => {
    const written: unknown = JSON.parse(data);
    return filters.every(({ path, equals }) => atJsonPath(written, path) === equals);
  };
}
