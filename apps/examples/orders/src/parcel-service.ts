// A parcel service for tests: a process of its own that books parcels or refuses them, and takes the events of the shop.
import { readSettings, sayReady, untilToldToEnd } from './child-side.js';
import { createFaults } from './faults.js';
import { ParcelLedger } from './parcel-ledger.js';
import { FaultyDesk, openUnreliableServer, send, textOf, type Exchange } from './unreliable-server.js';

export interface ParcelServiceSettings {
  /** Where it keeps its parcels. */
  readonly filename: string;
  /** What goes wrong, and when; null: nothing does. What is too heavy is refused in any case. */
  readonly seed: number | null;
}

/** The members of a structured CloudEvent that it looks at. */
interface ShippedEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly data: { readonly orderId: string; readonly pieces: number };
}

const { filename, seed } = readSettings<ParcelServiceSettings>();
const ending = untilToldToEnd();
const ledger = new ParcelLedger(filename);
const faults = createFaults(seed);
const desk = new FaultyDesk(ledger.attempts, faults);

const server = await openUnreliableServer(route);
sayReady({ url: server.url });

await ending;
desk.close();
await server.close();
ledger.close();

async function route(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const place = `${request.method} ${request.url}`;
  if (place === 'POST /parcels') await takeParcel(exchange);
  else if (place === 'POST /events') await takeEvent(exchange);
  else if (place === 'GET /notices') send(response, { status: 200, body: ledger.notices() });
  else send(response, { status: 404, body: 'no such place' });
}

async function takeParcel(exchange: Exchange): Promise<void> {
  const key = exchange.request.headers['idempotency-key'];
  if (typeof key !== 'string') {
    send(exchange.response, { status: 400, body: 'a parcel needs an idempotency-key' });
    return;
  }
  const body = JSON.parse(await textOf(exchange.request)) as { readonly orderId: string; readonly pieces: number };
  await desk.serve(exchange, {
    key,
    latency: (attempt) => latencyOf(key, attempt),
    work() {
      const { refusal } = ledger.book({ ...body, key });
      return refusal === null ? { status: 201 } : { status: 422, body: { reason: refusal } };
    },
  });
}

async function takeEvent(exchange: Exchange): Promise<void> {
  if (exchange.request.headers['content-type']?.startsWith('application/cloudevents+json') !== true) {
    send(exchange.response, { status: 415, body: 'events are taken in structured mode' });
    return;
  }
  const { source, id, type, data } = JSON.parse(await textOf(exchange.request)) as ShippedEvent;
  const key = `${source} ${id}`;
  await desk.serve(exchange, {
    key,
    latency: (attempt) => latencyOf(key, attempt),
    work() {
      ledger.takeNotice({ source, id, type, orderId: data.orderId, pieces: data.pieces });
      return { status: 204 };
    },
  });
}

/** Milliseconds. */
function latencyOf(key: string, attempt: number): number {
  return 5 + 30 * faults.chance('latency', key, attempt);
}
