// What the two services of the demo have in common: they answer over HTTP, in JSON, and fail now and then.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AttemptCounter } from './attempt-counter.js';
import type { Faults } from './faults.js';
import { openHttpServer, type HttpServer } from './http-server.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** What is done when nothing has gone wrong before. */
export interface Work {
  /** The same at each attempt: what befalls one is drawn from it. */
  readonly key: string;
  /** How long the `attempt`th takes, in milliseconds. */
  readonly latency: (attempt: number) => number;
  readonly work: () => Answer;
}

/** Resolves when it can be called. What `route` rejects with is answered with 500. */
export function openUnreliableServer(route: (exchange: Exchange) => Promise<void>): Promise<HttpServer> {
  return openHttpServer((request, response) => {
    route({ request, response }).catch((error: unknown) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end('the service has a fault of its own');
    });
  });
}

/** Does the work of a request, unless something goes wrong before; and answers, unless something goes wrong behind. */
export class FaultyDesk {
  readonly #attempts: AttemptCounter;
  readonly #faults: Faults;
  #isClosed = false;

  constructor(attempts: AttemptCounter, faults: Faults) {
    this.#attempts = attempts;
    this.#faults = faults;
  }

  async serve({ request, response }: Exchange, { key, latency, work }: Work): Promise<void> {
    if (this.#isClosed) return;
    const attempt = this.#attempts.count(key);
    await new Promise((resolve) => setTimeout(resolve, latency(attempt)));
    if (this.#isClosed) return;
    const fault = this.#faults.faultOf(key, attempt);
    if (fault === 'busy') send(response, { status: 503, body: 'too busy, try again' });
    else if (fault === 'cut') request.socket.destroy();
    else {
      const answer = work();
      if (fault === 'cut-after') request.socket.destroy();
      else send(response, answer);
    }
  }

  /** Nothing is done any more. */
  close(): void {
    this.#isClosed = true;
  }
}

export function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? undefined : JSON.stringify(body));
}

export async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
