// Tells hooks and the log what became of events, and counts them.
import { subjectOfStream } from '../domain/outbox.js';
import type { HookCaller } from '../engine/run-services.js';
import type { Logger } from '../ports/logger.js';
import type { SendReport } from './stream-sender.js';

/** One per app. Told of what is recorded, once for each end: an event that was requeued may have another. */
export class EventEnds {
  sent = 0;
  /** Failed for good, or invalid. */
  givenUp = 0;
  readonly #hooks: HookCaller;
  readonly #logger: Logger;

  constructor(parts: { readonly hooks: HookCaller; readonly logger: Logger }) {
    this.#hooks = parts.hooks;
    this.#logger = parts.logger;
  }

  /** A report that says that its event goes on waiting is none of an end, and passed over. */
  tell({ event, result, error, durationMs }: SendReport): void {
    const status = result.type;
    if (status === 'release' || status === 'retry') return;
    const { eventId, type, source, stream, attempts } = event;
    const attempt = attempts + 1;
    const told = { eventId, type, source, subject: subjectOfStream(stream), attempt, durationMs };
    if (status === 'sent') {
      this.sent++;
      this.#hooks.call('onEventSent', told);
      return;
    }
    this.givenUp++;
    const why = status === 'invalid' ? 'its receiver refused it for good' : 'every attempt failed';
    this.#logger.error(`an event was given up: ${why}; it is kept until somebody requeues it`, {
      ...{ eventId, type, source },
      attempts: attempt,
      error: String(error),
    });
    this.#hooks.call('onEventFailed', { ...told, status, error });
  }
}
