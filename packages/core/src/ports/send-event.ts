// The part of the outside that takes events away: one function of the user.
import type { OutgoingEvent } from '../domain/outbox.js';

/** What a sender is told besides the event. */
export interface SendAttempt {
  /** Aborts when the attempt has taken too long, and when this process gives it up: the event will be sent again then. */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
}

/**
 * Hands an event over, and returns or resolves when it has been taken. Which receiver it goes to is its business. It may get an event more than
 * once, as after a crash between sending and recording: `id` and `source` tell the receiver.
 *
 * What it throws is tried again, except for errors with `retryable: false`, TerminalError, and the classes of the policy's `nonRetryable` (all of them
 * also as a cause). An error's `retryAfterMs` (milliseconds) is waited for when it is longer than the policy's delay.
 */
export type SendEvent = (event: OutgoingEvent, attempt: SendAttempt) => Promise<void> | void;
