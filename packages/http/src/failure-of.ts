// What an error of an app means to who sent the request. What is not known here is told to nobody outside.
import {
  InstanceConflictError,
  InstanceFinishedError,
  InstanceNotFoundError,
  InvalidArgumentError,
  LeaseLostError,
  NotRunningError,
  PayloadNotSerializableError,
  PayloadTooLargeError,
  StorageUnavailableError,
  ValidationError,
} from '@romancy/core';
import { HttpFailure } from './http-failure.js';

/** Undefined: it is a defect here, or one of the database. */
export function failureOf(error: unknown): HttpFailure | undefined {
  if (error instanceof HttpFailure) return error;
  if (error instanceof InstanceNotFoundError) return new HttpFailure('INSTANCE_NOT_FOUND', error.message);
  if (error instanceof InstanceFinishedError) return new HttpFailure('INSTANCE_FINISHED', error.message);
  if (error instanceof InstanceConflictError) return new HttpFailure('INSTANCE_CONFLICT', error.message);
  if (error instanceof PayloadTooLargeError) {
    return new HttpFailure(
      'PAYLOAD_TOO_LARGE',
      `the event takes ${error.bytes} bytes when written down; the limit is ${error.limit}`,
    );
  }
  if (error instanceof InvalidArgumentError || error instanceof ValidationError || error instanceof PayloadNotSerializableError) {
    return new HttpFailure('INVALID_REQUEST', error.message);
  }
  // Their own messages may name hosts and files.
  if (error instanceof StorageUnavailableError || error instanceof LeaseLostError) {
    return new HttpFailure('STORAGE_UNAVAILABLE', 'the storage is not available');
  }
  if (error instanceof NotRunningError) return new HttpFailure('NOT_RUNNING', 'this process takes nothing at the moment');
  return undefined;
}
