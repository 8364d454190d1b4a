// A payment service for tests, as real as need be: a process of its own that answers over HTTP, fails now and then, and calls back.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readSettings, sayReady, untilToldToEnd } from './child-side.js';
import { createPaymentFaults } from './payment-faults.js';
import { PaymentLedger, type NewCharge } from './payment-ledger.js';
import { SettlementDesk } from './settlement-desk.js';
import { Turnstile } from './turnstile.js';

export interface PaymentServiceSettings {
  /** Where it keeps its charges. */
  readonly filename: string;
  /** What goes wrong, and when; null: nothing does. */
  readonly seed: number | null;
  /** Where settlements are reported. */
  readonly webhookUrl: string;
}

/** How many charges it works on at a time; the others wait for their turn. */
const lanes = 4;

const { filename, seed, webhookUrl } = readSettings<PaymentServiceSettings>();
const ending = untilToldToEnd();
const ledger = new PaymentLedger(filename);
const faults = createPaymentFaults(seed);
const desk = new SettlementDesk({ ledger, faults, webhookUrl });
const turnstile = new Turnstile(lanes);

let isClosing = false;

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.writeHead(500).end('the payment service has a fault of its own');
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
desk.resume();
sayReady({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

await ending;
isClosing = true;
server.close();
server.closeAllConnections();
desk.close();
ledger.close();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const id = /^\/charges\/([^/]+)$/.exec(pathname)?.[1];
  if (request.method === 'POST' && pathname === '/charges') await charge(request, response);
  else if (request.method === 'GET' && pathname === '/charges') json(response, ledger.all());
  else if (request.method === 'GET' && id !== undefined) {
    const found = ledger.find(decodeURIComponent(id));
    if (found === undefined) response.writeHead(404).end('no such charge');
    else json(response, found);
  } else response.writeHead(404).end('no such place');
}

async function charge(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') {
    response.writeHead(400).end('a charge needs an idempotency-key');
    return;
  }
  const body = JSON.parse(await textOf(request)) as Omit<NewCharge, 'key'>;
  await turnstile.pass(async () => {
    if (isClosing) return;
    const attempt = ledger.countAttempt(key);
    await new Promise((resolve) => setTimeout(resolve, faults.latencyOf(key, attempt)));
    if (isClosing) return;
    const fault = faults.faultOf(key, attempt);
    if (fault === 'busy') {
      response.writeHead(503).end('too busy, try again');
      return;
    }
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    const made = ledger.charge({ ...body, key });
    if (made.state !== 'declined') desk.take(made);
    if (fault === 'cut-after') request.socket.destroy();
    else json(response, made);
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
