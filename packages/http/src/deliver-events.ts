// Hands the events of a request to the app, and answers once they are durable.
import type { CloudEventInput } from '@romancy/core';
import { failureAnswer, jsonAnswer } from './answers.js';
import { failureOf } from './failure-of.js';
import type { HttpFailure } from './http-failure.js';
import type { HttpApp } from './http-handler-options.js';

/** An event of a batch that the app did not take. */
interface Refused {
  /** Its place in the batch, from 0. */
  readonly index: number;
  readonly failure: HttpFailure;
}

/**
 * One after the other, in their order. One that is refused for good (no such instance) does not keep the others from theirs: the sender
 * will not send the batch again. The first that cannot be stored now ends it: the sender repeats the whole batch, and what is stored
 * already counts once.
 * @param isLate nobody waits for the answer any more: no further one is begun.
 * @throws what the app threw, when it is a defect.
 */
export async function deliverEvents(
  app: HttpApp,
  events: readonly CloudEventInput[],
  request: { readonly isBatch: boolean; readonly isLate: () => boolean },
): Promise<Response> {
  const refused: Refused[] = [];
  let duplicates = 0;
  for (const [index, event] of events.entries()) {
    if (request.isLate()) break;
    try {
      const { duplicate } = await app.sendEvent(event);
      if (duplicate) duplicates++;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      if (!request.isBatch || failure.retryable) return failureAnswer(failure);
      refused.push({ index, failure });
    }
  }
  const accepted = events.length - refused.length;
  const first = refused[0];
  if (first === undefined) return jsonAnswer(202, { accepted, duplicates });
  const list = refused.map(({ index, failure }) => ({ index, error: failure.message, error_type: failure.type }));
  return failureAnswer(first.failure, { accepted, duplicates, refused: list });
}
