// The request to end an instance.
import { jsonAnswer } from './answers.js';
import { HttpFailure } from './http-failure.js';
import type { HttpApp } from './http-handler-options.js';
import { isJsonType, isUtf8, parseMediaType } from './media-type.js';
import { parseJson } from './read-data.js';

/** @throws HttpFailure when there is a body and it is not `{ "reason": "…" }` in JSON. */
export function readReason(headers: Headers, body: Uint8Array): string | undefined {
  if (body.byteLength === 0) return undefined;
  const type = parseMediaType(headers.get('content-type'));
  if (type === undefined || !isJsonType(type) || !isUtf8(type)) {
    throw new HttpFailure('UNSUPPORTED_MEDIA_TYPE', 'a cancellation takes JSON, or nothing');
  }
  const given = parseBody(body);
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const { reason, ...rest } = (isObject ? given : { reason: 0 }) as Readonly<Record<string, unknown>>;
  if ((reason !== undefined && typeof reason !== 'string') || Object.keys(rest).length > 0) {
    throw new HttpFailure(
      'INVALID_REQUEST',
      'a cancellation takes a body such as { "reason": "the customer withdrew" }, or none',
    );
  }
  return reason;
}

/** Answers once the request is durable. @throws what the app throws. */
export async function cancelInstance(app: HttpApp, instanceId: string, reason: string | undefined): Promise<Response> {
  await app.cancel(instanceId, reason);
  return jsonAnswer(202, { instance_id: instanceId });
}

function parseBody(body: Uint8Array): unknown {
  try {
    return parseJson(body, 'the body');
  } catch (error) {
    throw error instanceof HttpFailure ? new HttpFailure('INVALID_REQUEST', error.message) : error;
  }
}
