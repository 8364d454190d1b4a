// The handler: a request goes in, an answer comes out, and it never rejects.
import { failureAnswer } from './answers.js';
import { cancelInstance, readReason } from './cancel-instance.js';
import { deliverEvents } from './deliver-events.js';
import { failureOf } from './failure-of.js';
import { checkMethod, findRoute, type Route } from './find-route.js';
import { liveAnswer, readyAnswer } from './health-answer.js';
import { HttpFailure } from './http-failure.js';
import {
  resolveHandlerOptions,
  type HttpApp,
  type HttpHandlerOptions,
  type ResolvedHandlerOptions,
} from './http-handler-options.js';
import { PendingBytes } from './pending-bytes.js';
import { overloaded, readBody } from './read-body.js';
import { contentModeOf, readEvents, type ContentMode } from './read-events.js';
import { withinTime } from './within-time.js';

type ChangingRoute = Exclude<Route, { readonly name: 'live' } | { readonly name: 'ready' }>;

/** Resolves with an answer, whatever the request is. */
export type HttpHandler = (request: Request) => Promise<Response>;

/**
 * A handler for an app's routes, by the Request and Response of the web platform:
 *
 * - `POST /events`: CloudEvents 1.0 in structured, binary or batched mode. 202 when all of it is durable, also when it was before.
 * - `POST /instances/{id}/events`: the same, for one instance. On `/events` the extension attribute `romancyinstance` names one.
 * - `POST /instances/{id}/cancel`: ends the instance; an optional body `{ "reason": "…" }`.
 * - `GET /live`, `GET /ready`.
 *
 * Every other answer is `{ error, error_type, retryable }`.
 * @throws ConfigurationError
 */
export function createHttpHandler(romancy: HttpApp, options: HttpHandlerOptions = {}): HttpHandler {
  const server = new HttpServer(romancy, resolveHandlerOptions(romancy, options));
  return (request) => server.answer(request);
}

class HttpServer {
  readonly #app: HttpApp;
  readonly #options: ResolvedHandlerOptions;
  readonly #pending: PendingBytes;

  constructor(app: HttpApp, options: ResolvedHandlerOptions) {
    this.#app = app;
    this.#options = options;
    this.#pending = new PendingBytes(options.maxPendingBytes);
  }

  async answer(request: Request): Promise<Response> {
    try {
      return await this.#route(request);
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== undefined) return failureAnswer(failure);
      this.#report(request, error);
      return failureAnswer(
        new HttpFailure('INTERNAL', 'something went wrong here; it is not known whether the request took effect'),
      );
    }
  }

  async #route(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const { basePath, authenticateHealth } = this.#options;
    const isHealth = pathname === `${basePath}/live` || pathname === `${basePath}/ready`;
    // Before the route is looked for: a stranger does not learn which there are.
    if (!isHealth || authenticateHealth) {
      const denied = await this.#denied(request);
      if (denied !== undefined) return denied;
    }
    const route = findRoute(pathname, basePath);
    checkMethod(request.method, route);
    if (route.name === 'live') return liveAnswer();
    if (route.name === 'ready') return readyAnswer(this.#app);
    return await this.#change(request, route);
  }

  async #denied(request: Request): Promise<Response | undefined> {
    const { authenticate } = this.#options;
    if (authenticate === undefined) return undefined;
    const verdict: unknown = await authenticate(request);
    if (verdict === true) return undefined;
    if (verdict === false) throw new HttpFailure('UNAUTHORIZED', 'this takes credentials that are not there or not right');
    // By shape: frameworks bring Response classes of their own.
    if (typeof verdict === 'object' && verdict !== null && 'status' in verdict && 'headers' in verdict)
      return verdict as Response;
    throw new Error(`authenticate gave ${typeof verdict}; it takes true, false or a Response`);
  }

  /** What it holds in memory is given back when the app is done with it, however long ago the sender was answered. */
  async #change(request: Request, route: ChangingRoute): Promise<Response> {
    // Before the body: what is in no format that is understood is not read at all.
    const mode = route.name === 'events' ? contentModeOf(request.headers) : undefined;
    const reservation = this.#pending.reserve();
    if (reservation === undefined) throw overloaded();
    let isLate = false;
    let stored: Promise<Response>;
    try {
      const { maxBodyBytes, timeoutMs } = this.#options;
      const body = await readBody(request, { maxBodyBytes, timeoutMs, reservation });
      const parts = { headers: request.headers, body, mode };
      stored = this.#store(route, parts, () => isLate).finally(() => reservation.release());
    } catch (error) {
      reservation.release();
      throw error;
    }
    return await withinTime(stored, this.#options.timeoutMs, () => {
      isLate = true;
      throw new HttpFailure('STORAGE_UNAVAILABLE', 'the storage did not answer in time; sending it again does no harm');
    });
  }

  /** Everything is checked before anything is stored. */
  async #store(
    route: ChangingRoute,
    parts: { readonly headers: Headers; readonly body: Uint8Array; readonly mode: ContentMode | undefined },
    isLate: () => boolean,
  ): Promise<Response> {
    const { headers, body, mode } = parts;
    if (route.name === 'cancel') return await cancelInstance(this.#app, route.instanceId, readReason(headers, body));
    const limits = { instanceId: route.instanceId, maxBatchEvents: this.#options.maxBatchEvents };
    const events = readEvents({ mode: mode!, headers, body }, limits);
    return await deliverEvents(this.#app, events, { isBatch: mode === 'batched', isLate });
  }

  #report(request: Request, error: unknown): void {
    try {
      const { pathname } = new URL(request.url);
      this.#options.logger.error('a request was answered with 500', { method: request.method, path: pathname, error });
    } catch {
      // A logger that throws is ignored, as everywhere.
    }
  }
}
