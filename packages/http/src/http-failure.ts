// What a request fails with: a status, and what the body of the answer says.

/** What went wrong, as `error_type` of an answer; stable across versions. */
export type HttpErrorType =
  | 'INTERNAL'
  | 'INVALID_EVENT'
  | 'INVALID_REQUEST'
  | 'INSTANCE_CONFLICT'
  | 'INSTANCE_FINISHED'
  | 'INSTANCE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_RUNNING'
  | 'OVERLOADED'
  | 'PAYLOAD_TOO_LARGE'
  | 'REQUEST_TIMEOUT'
  | 'ROUTE_NOT_FOUND'
  | 'STORAGE_UNAVAILABLE'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED_MEDIA_TYPE';

const meanings: Readonly<Record<HttpErrorType, { readonly status: number; readonly retryable: boolean }>> = {
  INTERNAL: { status: 500, retryable: true },
  INVALID_EVENT: { status: 400, retryable: false },
  INVALID_REQUEST: { status: 400, retryable: false },
  INSTANCE_CONFLICT: { status: 409, retryable: false },
  INSTANCE_FINISHED: { status: 409, retryable: false },
  INSTANCE_NOT_FOUND: { status: 404, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  NOT_RUNNING: { status: 503, retryable: true },
  OVERLOADED: { status: 503, retryable: true },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  REQUEST_TIMEOUT: { status: 408, retryable: true },
  ROUTE_NOT_FOUND: { status: 404, retryable: false },
  STORAGE_UNAVAILABLE: { status: 503, retryable: true },
  UNAUTHORIZED: { status: 401, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false },
};

/** Thrown while a request is worked on, and answered. Its message is shown to the sender. */
export class HttpFailure extends Error {
  readonly type: HttpErrorType;
  /** The value of the `Allow` header, where there is one. */
  readonly allow: string | undefined;

  constructor(type: HttpErrorType, message: string, fields: { readonly allow?: string } = {}) {
    super(message);
    this.name = 'HttpFailure';
    this.type = type;
    this.allow = fields.allow;
  }

  get status(): number {
    return meanings[this.type].status;
  }

  /** Whether the same request can succeed later. */
  get retryable(): boolean {
    return meanings[this.type].retryable;
  }
}
