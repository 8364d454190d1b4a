// A web-standard handler as a listener of `node:http`, `node:https` and `node:http2`, of Express and of Fastify.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigurationError, type Logger } from '@romancy/core/ports';
import { discardRest } from './request-body.js';
import { requestOf } from './request-of.js';
import { writeResponse } from './write-response.js';

/** What a fetch handler of any framework is: `createHttpHandler(…)`, the `fetch` of a Hono app. */
export type WebHandler = (request: Request) => Response | Promise<Response>;

/**
 * The body is read from the connection only as fast as the handler reads it; what the handler leaves unread is discarded, so that the
 * sender gets its answer. `request.signal` aborts when the connection ends before the answer is written. A handler that rejects, or a body
 * that somebody has read already (`express.json()` before it), is answered with 500.
 * @param options `logger` is told why something was answered with 500. Default: the console.
 * @throws ConfigurationError
 */
export function toNodeListener(
  handler: WebHandler,
  options: { readonly logger?: Pick<Logger, 'error'> } = {},
): (req: IncomingMessage, res: ServerResponse) => void {
  const { logger = globalThis.console } = options;
  if (typeof handler !== 'function') {
    throw new ConfigurationError('toNodeListener takes a function from Request to Response', { option: 'handler' });
  }
  if (typeof logger?.error !== 'function') {
    throw new ConfigurationError('toNodeListener: logger takes an object with the method error', { option: 'logger' });
  }
  return (req, res) => void listen(handler, { req, res, logger });
}

/** Never rejects. */
async function listen(
  handler: WebHandler,
  parts: { readonly req: IncomingMessage; readonly res: ServerResponse; readonly logger: Pick<Logger, 'error'> },
): Promise<void> {
  const { req, res, logger } = parts;
  // A connection that breaks is told by 'close'; without a listener this event would end the process.
  req.on('error', () => undefined);
  res.on('error', () => undefined);
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableEnded) gone.abort(new Error('the connection ended before the answer'));
  });
  try {
    const request = requestOf(req, gone.signal);
    await writeResponse(res, request === undefined ? plain(400, 'bad request') : await handler(request));
  } catch (error) {
    report(logger, error);
    if (res.headersSent) res.destroy();
    else await writeResponse(res, plain(500, 'internal error')).catch(() => res.destroy());
  }
  discardRest(req);
}

function report(logger: Pick<Logger, 'error'>, error: unknown): void {
  try {
    logger.error('a request could not be answered', { error });
  } catch {
    // A logger that throws is ignored, as everywhere.
  }
}

function plain(status: number, error: string): Response {
  const type = status === 400 ? 'INVALID_REQUEST' : 'INTERNAL';
  return Response.json({ error, error_type: type, retryable: status >= 500 }, { status });
}
