// A web-standard handler as a listener of `node:http`, `node:https` and `node:http2`, of Express and of Fastify.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { discardRest } from './request-body.js';
import { requestOf } from './request-of.js';
import { writeResponse } from './write-response.js';

/** What a fetch handler of any framework is: `createHttpHandler(…)`, the `fetch` of a Hono app. */
export type WebHandler = (request: Request) => Response | Promise<Response>;

/**
 * The body is read from the connection only as fast as the handler reads it; what the handler leaves unread is discarded, so that the
 * sender gets its answer. `request.signal` aborts when the connection ends before the answer is written. A handler that rejects, or a body
 * that somebody has read already (`express.json()` before it), is answered with 500.
 */
export function toNodeListener(handler: WebHandler): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => void listen(handler, { req, res });
}

/** Never rejects. */
async function listen(handler: WebHandler, { req, res }: { req: IncomingMessage; res: ServerResponse }): Promise<void> {
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
  } catch {
    // What there is to say about it, the handler has said: that of this package never rejects.
    if (res.headersSent) res.destroy();
    else await writeResponse(res, plain(500, 'internal error')).catch(() => res.destroy());
  }
  discardRest(req);
}

function plain(status: number, error: string): Response {
  const type = status === 400 ? 'INVALID_REQUEST' : 'INTERNAL';
  return Response.json({ error, error_type: type, retryable: status >= 500 }, { status });
}
