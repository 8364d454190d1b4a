// What a user says about the sender, checked, with its defaults.
import { ConfigurationError, type Duration } from '@romancy/core';
import { checkKnownOptions, namesOf } from '@romancy/core/ports';
import { timeLimit } from './duration-option.js';
import type { OutgoingEvent } from './outgoing-event.js';

type HeaderSource = Headers | Readonly<Record<string, string>>;

export interface HttpEventSenderOptions {
  /** Where events go, by http or https. A function is asked for each attempt; when it throws, the attempt can be repeated. */
  readonly url: string | URL | ((event: OutgoingEvent) => string | URL | Promise<string | URL>);
  /** `structured`: all in a JSON body. `binary`: attributes in headers, the data as the body. Default `structured`. */
  readonly mode?: 'structured' | 'binary';
  /**
   * Further headers, such as Authorization. A function is asked for each attempt; when it throws, the attempt can be repeated. What the
   * event itself says comes before them. Default: none.
   */
  readonly headers?: HeaderSource | ((event: OutgoingEvent) => HeaderSource | Promise<HeaderSource>);
  /** How long an attempt may take until its answer is read. `Infinity`: no limit. Default `30s`. */
  readonly timeout?: Duration;
  /** Default: that of the runtime. */
  readonly fetch?: typeof fetch;
}

export interface ResolvedSenderOptions {
  readonly urlOf: (event: OutgoingEvent) => string | URL | Promise<string | URL>;
  readonly mode: 'structured' | 'binary';
  readonly headersOf: (event: OutgoingEvent) => HeaderSource | Promise<HeaderSource>;
  readonly timeoutMs: number | null;
  readonly fetch: typeof fetch;
}

const optionNames = namesOf<HttpEventSenderOptions>({ url: true, mode: true, headers: true, timeout: true, fetch: true });

/** @throws ConfigurationError naming the option and what it takes. */
export function resolveSenderOptions(options: HttpEventSenderOptions): ResolvedSenderOptions {
  checkKnownOptions(options, optionNames, '');
  const { url, mode = 'structured', headers = {}, timeout = '30s', fetch: given = globalThis.fetch } = options;
  if (mode !== 'structured' && mode !== 'binary') throw wrong('mode', `'structured' or 'binary'`);
  if (typeof given !== 'function') throw wrong('fetch', 'a function like that of the web platform');
  return {
    urlOf: typeof url === 'function' ? url : fixed(checkedUrl(url)),
    mode,
    headersOf: typeof headers === 'function' ? headers : fixed(checkedHeaders(headers)),
    timeoutMs: timeLimit('timeout', timeout),
    fetch: given,
  };
}

/** What the web platform can send to; undefined: it cannot. */
export function httpUrl(value: unknown): URL | undefined {
  if ((typeof value !== 'string' && !(value instanceof URL)) || !URL.canParse(String(value))) return undefined;
  const url = new URL(value);
  // fetch refuses credentials in an address.
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined;
}

function checkedUrl(value: unknown): URL {
  const url = httpUrl(value);
  // Never shown: it may hold a password.
  if (url === undefined)
    throw wrong('url', 'an address by http or https without credentials in it, or a function that gives one');
  return url;
}

function checkedHeaders(value: HeaderSource): Headers {
  try {
    return new Headers(value);
  } catch {
    throw wrong('headers', 'an object of names and values that HTTP can carry, or a function that gives one');
  }
}

function fixed<T>(value: T): () => T {
  return () => value;
}

function wrong(option: string, allowed: string): ConfigurationError {
  return new ConfigurationError(`createHttpEventSender: ${option} takes ${allowed}`, { option });
}
