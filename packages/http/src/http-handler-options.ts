// What a user says about the handler, checked, with its defaults.
import { ConfigurationError, type Duration, type Logger, type Romancy } from '@romancy/core';
import { checkKnownOptions, namesOf } from '@romancy/core/ports';
import { timeLimit } from './duration-option.js';

/** What the handler needs of an app: a `Romancy` fits. */
export type HttpApp = Pick<Romancy, 'sendEvent' | 'cancel' | 'status'>;

export interface HttpHandlerOptions {
  /** What the path of every route begins with, such as `/romancy`; what is before it must have been taken off by others. Default: nothing. */
  readonly basePath?: string;
  /**
   * Called before anything of the body is read; it must not read it either. `true` lets the request in, `false` answers 401, a Response is
   * the answer. When it throws, or gives something else, nobody gets in: the answer is 500. Default: everybody gets in.
   */
  readonly authenticate?: (request: Request) => boolean | Response | Promise<boolean | Response>;
  /** Whether `authenticate` is asked for `/live` and `/ready` too. Default false. */
  readonly authenticateHealth?: boolean;
  /** The largest body, in bytes; 413 above it. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** The most events in one batch; 413 above it. Default 1,000. */
  readonly maxBatchEvents?: number;
  /**
   * How much all requests together may keep in memory, in bytes: their bodies and 4 KiB for each. What would be more is answered with 503.
   * While the storage does not answer, what came in stays in memory until it does. Default 64 MiB, or twice `maxBodyBytes`.
   */
  readonly maxPendingBytes?: number;
  /**
   * How long the body may take to come (else 408), and then how long storing it may take (else 503). The storing goes on then; that the
   * sender repeats it is harmless, since an event counts once. `Infinity`: no limit. Default `30s`.
   */
  readonly timeout?: Duration;
  /** Told what was answered with 500, and nothing else. Default: the console. */
  readonly logger?: Pick<Logger, 'error'>;
}

export interface ResolvedHandlerOptions {
  /** Begins with a slash and does not end with one; or empty. */
  readonly basePath: string;
  readonly authenticate: HttpHandlerOptions['authenticate'];
  readonly authenticateHealth: boolean;
  readonly maxBodyBytes: number;
  readonly maxBatchEvents: number;
  readonly maxPendingBytes: number;
  readonly timeoutMs: number | null;
  readonly logger: Pick<Logger, 'error'>;
}

const optionNames = namesOf<HttpHandlerOptions>({
  basePath: true,
  authenticate: true,
  authenticateHealth: true,
  maxBodyBytes: true,
  maxBatchEvents: true,
  maxPendingBytes: true,
  timeout: true,
  logger: true,
});

const mebibyte = 1024 * 1024;

/** @throws ConfigurationError naming the option and what it takes. */
export function resolveHandlerOptions(app: HttpApp, options: HttpHandlerOptions): ResolvedHandlerOptions {
  if (typeof app?.sendEvent !== 'function' || typeof app.cancel !== 'function' || typeof app.status !== 'function') {
    throw new ConfigurationError('createHttpHandler takes a Romancy as its first argument', { option: 'romancy' });
  }
  checkKnownOptions(options, optionNames, '');
  const { authenticate, authenticateHealth = false, logger = globalThis.console } = options;
  if (authenticate !== undefined && typeof authenticate !== 'function') {
    throw wrong('authenticate', authenticate, 'a function that answers with true, false or a Response');
  }
  if (typeof authenticateHealth !== 'boolean') throw wrong('authenticateHealth', authenticateHealth, 'true or false');
  if (typeof logger?.error !== 'function') throw wrong('logger', logger, 'an object with the method error');
  const maxBodyBytes = count('maxBodyBytes', options.maxBodyBytes ?? mebibyte);
  const maxPendingBytes = count('maxPendingBytes', options.maxPendingBytes ?? Math.max(64 * mebibyte, 2 * maxBodyBytes));
  if (maxPendingBytes < 2 * maxBodyBytes) {
    throw wrong('maxPendingBytes', maxPendingBytes, `at least twice maxBodyBytes, which is ${maxBodyBytes}`);
  }
  return {
    basePath: basePath(options.basePath ?? ''),
    authenticate,
    authenticateHealth,
    maxBodyBytes,
    maxBatchEvents: count('maxBatchEvents', options.maxBatchEvents ?? 1000),
    maxPendingBytes,
    timeoutMs: timeLimit('timeout', options.timeout ?? '30s'),
    logger,
  };
}

function basePath(path: unknown): string {
  if (typeof path !== 'string' || !/^(?:\/[^?#]*)?$/.test(path)) {
    throw wrong('basePath', path, `a path such as '/romancy'`);
  }
  return path.replace(/\/+$/, '');
}

function count(option: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw wrong(option, value, 'a whole number from 1');
  return value;
}

function wrong(option: string, value: unknown, allowed: string): ConfigurationError {
  const shown = typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : typeof value;
  return new ConfigurationError(`createHttpHandler: ${option} is ${shown}; it takes ${allowed}`, { option });
}
