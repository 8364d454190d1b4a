// The answers: JSON throughout, never kept by a cache.
import type { HttpErrorType, HttpFailure } from './http-failure.js';

/** What senders are told to wait before they try again, in seconds. */
const retryAfterSeconds = 5;

/** The body of every answer that is an error. */
export interface ErrorBody {
  /** For people. */
  readonly error: string;
  /** For programs. */
  readonly error_type: HttpErrorType;
  /** Whether the same request can succeed later. */
  readonly retryable: boolean;
}

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  });
}

/** @param details more members of the body. */
export function failureAnswer(failure: HttpFailure, details: Readonly<Record<string, unknown>> = {}): Response {
  const body: ErrorBody = { error: failure.message, error_type: failure.type, retryable: failure.retryable };
  return jsonAnswer(
    failure.status,
    { ...body, ...details },
    {
      ...(failure.allow === undefined ? {} : { allow: failure.allow }),
      ...(failure.status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
      ...(failure.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
  );
}
