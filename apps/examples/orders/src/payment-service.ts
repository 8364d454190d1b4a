// A payment service for tests, as real as need be: a process of its own that answers over HTTP, fails now and then, and calls back.
import { readSettings, sayReady, untilToldToEnd } from './child-side.js';
import { createPaymentFaults } from './payment-faults.js';
import { PaymentLedger, type NewCharge } from './payment-ledger.js';
import { SettlementDesk } from './settlement-desk.js';
import { Turnstile } from './turnstile.js';
import { FaultyDesk, openUnreliableServer, send, textOf, type Exchange } from './unreliable-server.js';

export interface PaymentServiceSettings {
  /** Where it keeps its charges. */
  readonly filename: string;
  /** What goes wrong, and when; null: nothing does. */
  readonly seed: number | null;
  /** Where the shop takes events, and the token by which it knows who sends them. */
  readonly shop: { readonly url: string; readonly token: string };
}

/** How many charges it works on at a time; the others wait for their turn. */
const lanes = 4;

const { filename, seed, shop } = readSettings<PaymentServiceSettings>();
const ending = untilToldToEnd();
const ledger = new PaymentLedger(filename);
const faults = createPaymentFaults(seed);
const settlements = new SettlementDesk({ ledger, faults, shop });
const desk = new FaultyDesk(ledger.attempts, faults);
const turnstile = new Turnstile(lanes);

const server = await openUnreliableServer(route);
settlements.resume();
sayReady({ url: server.url });

await ending;
desk.close();
settlements.close();
await server.close();
ledger.close();

async function route(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const place = `${request.method} ${pathname}`;
  const id = /^GET \/charges\/([^/]+)$/.exec(place)?.[1];
  const charge = id === undefined ? undefined : ledger.find(decodeURIComponent(id));
  if (place === 'POST /charges') await takeCharge(exchange);
  else if (place === 'POST /refunds') await takeRefund(exchange);
  else if (place === 'GET /charges') send(response, { status: 200, body: ledger.all() });
  else if (place === 'GET /refunds') send(response, { status: 200, body: ledger.refunds() });
  else if (charge !== undefined) send(response, { status: 200, body: charge });
  else send(response, { status: 404, body: 'no such place or charge' });
}

async function takeCharge(exchange: Exchange): Promise<void> {
  const key = keyOf(exchange);
  if (key === undefined) return;
  const body = JSON.parse(await textOf(exchange.request)) as Omit<NewCharge, 'key'>;
  const latency = (attempt: number): number => faults.latencyOf(key, attempt);
  await turnstile.pass(() =>
    desk.serve(exchange, {
      key,
      latency,
      work() {
        const made = ledger.charge({ ...body, key });
        if (made.state !== 'declined') settlements.take(made);
        return { status: 200, body: made };
      },
    }),
  );
}

async function takeRefund(exchange: Exchange): Promise<void> {
  const key = keyOf(exchange);
  if (key === undefined) return;
  const { paymentId } = JSON.parse(await textOf(exchange.request)) as { readonly paymentId: string };
  const latency = (attempt: number): number => faults.latencyOf(key, attempt);
  await desk.serve(exchange, {
    key,
    latency,
    work() {
      const charge = ledger.refund({ key, paymentId });
      return charge === undefined ? { status: 404, body: 'no such charge' } : { status: 200, body: charge };
    },
  });
}

/** Undefined: it has none, and is told so. */
function keyOf({ request, response }: Exchange): string | undefined {
  const key = request.headers['idempotency-key'];
  if (typeof key === 'string') return key;
  send(response, { status: 400, body: 'this needs an idempotency-key' });
  return undefined;
}
