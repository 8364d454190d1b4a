// Events from outside: what is refused before anybody asks the database, and under which name.
import { expect, it } from 'vitest';
import type { OutboxEventInput } from '../authoring/messaging.js';
import { InvalidArgumentError } from '../domain/errors.js';
import type { CloudEventInput } from '../domain/cloud-event.js';
import { makeOutboxEvent } from '../engine/outgoing.js';
import { ManualClock, seededEntropy } from '../testing/index.js';
import { toIncomingEvent } from './event-input.js';
import { createJsonCodec } from './json-codec.js';

const parts = { codec: createJsonCodec(), clock: new ManualClock(), entropy: seededEntropy(1), maxPayloadBytes: 1000 };
const event = { type: 'paid', source: '/payments' };

it.each<[string, unknown]>([
  ['event', null],
  ['event', 'paid'],
  ['event type', { source: 's' }],
  ['event source', { type: 't', source: '' }],
  ['event id', { ...event, id: 7 }],
  ['instanceId', { ...event, instanceId: 'a\0b' }],
  ['subject', { ...event, subject: 7 }],
  ['time', { ...event, time: null }],
  ['time', { ...event, time: {} }],
  ['time', { ...event, time: 'tomorrow' }],
  ['extensions', { ...event, extensions: 'abc' }],
  ['extensions', { ...event, extensions: ['a'] }],
  ['extensions.traceId', { ...event, extensions: { traceId: 'abc' } }],
  ['extensions.id', { ...event, extensions: { id: 'abc' } }],
  ['extensions.', { ...event, extensions: { '': 'abc' } }],
  ['specversion', { ...event, specversion: '0.3' }],
  ['datacontenttype', { ...event, datacontenttype: 7 }],
  ['dataschema', { ...event, dataschema: '' }],
  ['dta', { ...event, dta: 1 }],
  ['traceparent', { ...event, traceparent: '00-ab' }],
  ['extensions.trace', { ...event, extensions: { trace: { id: 1 } } }],
])('%s of %j is refused by name', (argument, input) => {
  let refused: unknown;
  try {
    toIncomingEvent(input as CloudEventInput, parts);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(InvalidArgumentError);
  expect(refused).toMatchObject({ argument });
});

it('an event of the outbox is for no instance', () => {
  expect(() => makeOutboxEvent({ ...event, instanceId: 'order-1' } as OutboxEventInput, parts)).toThrow(/sendTo/);
  expect(makeOutboxEvent({ ...event, subject: 'order-1' }, parts)).toMatchObject({ type: 'paid' });
});

it('what is left out is assumed, and any text is taken where text is', () => {
  const made = toIncomingEvent({ ...event, subject: 'a\0b', extensions: { tenant: '\ud800', shard: 3, traced: true } }, parts);
  expect(made).toMatchObject({ topic: 'event:paid', source: '/payments', to: { type: 'subscribers' } });
  expect(parts.codec.decode(made.data)).toMatchObject({
    id: made.messageId,
    subject: 'a\0b',
    time: new Date(parts.clock.now()),
    extensions: { tenant: '\ud800', shard: 3, traced: true },
  });
});

it.each<[object, object]>([
  [{ specversion: '1.0', datacontenttype: 'application/json' }, {}],
  [{ datacontenttype: 'Application/JSON; charset=utf-8', extensions: { tenant: 'a' } }, { tenant: 'a' }],
  [
    { datacontenttype: 'text/plain', dataschema: '/s' },
    { datacontenttype: 'text/plain', dataschema: '/s' },
  ],
  // One that was received, with other data.
  [{ datacontenttype: 'application/json', extensions: { datacontenttype: 'text/xml', dataschema: '/s' } }, { dataschema: '/s' }],
  [{ datacontenttype: 'text/plain', extensions: { datacontenttype: 'text/xml' } }, { datacontenttype: 'text/plain' }],
  // As an event that was received has them, and one that comes over HTTP.
  [{ extensions: { datacontenttype: 'text/plain', extensions: 'x' } }, { datacontenttype: 'text/plain', extensions: 'x' }],
])('what CloudEvents says of every event is taken: %j', (more, extensions) => {
  const made = toIncomingEvent({ ...event, ...more }, parts);
  expect(parts.codec.decode(made.data)).toMatchObject({ extensions });
  expect((parts.codec.decode(made.data) as { extensions: object }).extensions).toEqual(extensions);
});
