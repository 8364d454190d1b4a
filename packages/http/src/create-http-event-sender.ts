// Sends events to an HTTP address, and tells a relayer what came of it.
import { encodeEvent } from './encode-event.js';
import { EventSendError } from './event-send-error.js';
import {
  httpUrl,
  resolveSenderOptions,
  type HttpEventSenderOptions,
  type ResolvedSenderOptions,
} from './event-sender-options.js';
import { onAbort } from './on-abort.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { readExcerpt } from './read-excerpt.js';
import { retryAfterMs } from './retry-after.js';

/** Resolves when the receiver has answered with 2xx. Rejects with EventSendError, or with the reason of `signal` when that aborts. */
export type HttpEventSender = (event: OutgoingEvent, options?: { readonly signal?: AbortSignal }) => Promise<void>;

/** Answers beside 5xx that may be others later: timeout, too early, too many. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * A function that POSTs one event as a CloudEvent: one attempt, no retries of its own. It resolves on 2xx. Redirects are not followed: an
 * event is not handed to whom an answer names. What it rejects with says whether another attempt can help (`EventSendError.retryable`).
 * @throws ConfigurationError
 */
export function createHttpEventSender(options: HttpEventSenderOptions): HttpEventSender {
  const resolved = resolveSenderOptions(options);
  return async (event, { signal } = {}) => {
    signal?.throwIfAborted();
    const attempt = new AbortController();
    // Not AbortSignal.any: a signal that lives as long as its relayer would keep each one that was made of it.
    const forget = signal === undefined ? undefined : onAbort(signal, () => attempt.abort(signal.reason));
    const { timeoutMs } = resolved;
    const expire = (): void =>
      attempt.abort(new EventSendError(`there was no answer within ${timeoutMs} ms`, { retryable: true }));
    const timer = timeoutMs === null ? undefined : setTimeout(expire, timeoutMs);
    try {
      // A source of addresses or headers, or a fetch of others, may not listen to the signal.
      await Promise.race([send(event, resolved, attempt.signal), aborted(attempt.signal)]);
    } finally {
      clearTimeout(timer);
      forget?.();
    }
  };
}

async function send(event: OutgoingEvent, options: ResolvedSenderOptions, signal: AbortSignal): Promise<void> {
  const { headers: own, body } = encodeEvent(event, options.mode);
  const url = httpUrl(await asked('url', () => options.urlOf(event)));
  if (url === undefined) throw new EventSendError('the address for the event is none of http or https', { retryable: false });
  const headers = await asked('headers', async () => new Headers(await options.headersOf(event)));
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  signal.throwIfAborted();
  const request: RequestInit = { method: 'POST', headers, body, redirect: 'manual', signal };
  const response = await options.fetch(url, request).catch((cause: unknown) => {
    throw new EventSendError(`the network failed: ${messageOf(cause)}`, { retryable: true, cause });
  });
  await judge(response);
}

/** @throws EventSendError unless the answer is 2xx. */
async function judge(response: Response): Promise<void> {
  if (response.ok) {
    void response.body?.cancel().catch(() => undefined);
    return;
  }
  const { status } = response;
  // Runtimes that hide a redirect show the status 0.
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    void response.body?.cancel().catch(() => undefined);
    // Says nothing of the event: whoever put the address wrong can put it right before the attempts are used up.
    throw new EventSendError(`the receiver answered with a redirect (${status}), which is not followed`, {
      retryable: true,
      status,
    });
  }
  const said = await readExcerpt(response);
  throw new EventSendError(`the receiver answered ${status}${said === '' ? '' : `: ${said}`}`, {
    retryable: status >= 500 || passingStatuses.has(status),
    status,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
  });
}

/** What a function of the user gives; what it fails with may pass, since it may ask others. */
async function asked<T>(option: string, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new EventSendError(`the option ${option} failed: ${messageOf(cause)}`, { retryable: true, cause });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** fetch says "fetch failed", and what did in its cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? `${error.message} (${cause.message})` : error.message;
}
