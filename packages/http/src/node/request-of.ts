// A Request of the web platform, made of one of Node.
import type { IncomingMessage } from 'node:http';
import { requestBody } from './request-body.js';

/** Undefined when it can be none: a method or header that the web platform forbids. */
export function requestOf(req: IncomingMessage, signal: AbortSignal): Request | undefined {
  const method = req.method ?? 'GET';
  const hasBody = method !== 'GET' && method !== 'HEAD';
  if (hasBody && (req.readableDidRead || req.readableEnded)) {
    throw new Error('the body was read already; mount the handler before whatever parses bodies');
  }
  try {
    const init: RequestInit = { method, headers: headersOf(req), signal };
    return new Request(urlOf(req), hasBody ? { ...init, body: requestBody(req), duplex: 'half' } : init);
  } catch {
    return undefined;
  }
}

/** From the raw ones: what was sent twice is joined as the web platform joins it. */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    // Those with a colon are parts of the request line in HTTP/2.
    if (!name.startsWith(':')) headers.append(name, rawHeaders[index + 1]!);
  }
  return headers;
}

/** Frameworks take from `url` what they mounted it under; `originalUrl` would have it still. */
function urlOf(req: IncomingMessage): string {
  const host = req.headers.host ?? req.headers[':authority'];
  const authority = typeof host === 'string' && /^[\w.-]+(?::\d+)?$|^\[[\da-fA-F:.]+\](?::\d+)?$/.test(host) ? host : 'localhost';
  const scheme = 'encrypted' in req.socket ? 'https' : 'http';
  return `${scheme}://${authority}${pathOf(req.url ?? '/')}`;
}

/** A proxy may write a whole address; OPTIONS may have an asterisk. */
function pathOf(target: string): string {
  if (target.startsWith('/')) return target;
  if (!URL.canParse(target)) return '/';
  const { pathname, search } = new URL(target);
  return `${pathname}${search}`;
}
