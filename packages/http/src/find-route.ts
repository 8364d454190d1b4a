// Which route a path is.
import { HttpFailure } from './http-failure.js';

export type Route =
  | { readonly name: 'live' }
  | { readonly name: 'ready' }
  /** `instanceId` undefined: for whoever waits for the events. */
  | { readonly name: 'events'; readonly instanceId: string | undefined }
  | { readonly name: 'cancel'; readonly instanceId: string };

/** @throws HttpFailure when there is none. */
export function findRoute(pathname: string, basePath: string): Route {
  const rest = pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : '';
  if (rest === '/live') return { name: 'live' };
  if (rest === '/ready') return { name: 'ready' };
  if (rest === '/events') return { name: 'events', instanceId: undefined };
  const [, id, verb] = /^\/instances\/([^/]+)\/(events|cancel)$/.exec(rest) ?? [];
  if (id === undefined) throw new HttpFailure('ROUTE_NOT_FOUND', 'there is nothing at this address');
  return { name: verb === 'events' ? 'events' : 'cancel', instanceId: decoded(id) };
}

/** @throws HttpFailure */
export function checkMethod(method: string, route: Route): void {
  const allowed = route.name === 'live' || route.name === 'ready' ? ['GET', 'HEAD'] : ['POST'];
  if (allowed.includes(method)) return;
  throw new HttpFailure('METHOD_NOT_ALLOWED', `this address takes ${allowed.join(' and ')}`, { allow: allowed.join(', ') });
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    throw new HttpFailure('INVALID_REQUEST', 'the id of the instance is not percent-encoded UTF-8');
  }
}
