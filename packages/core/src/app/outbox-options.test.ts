// Options of the outbox and of retention: what is assumed, what is refused.
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../domain/errors.js';
import { defaultRetryPolicy } from '../domain/retry-policy.js';
import { resolveOutbox, type OutboxOptions } from './outbox-options.js';
import { resolveRetention, type RetentionOptions } from './retention-options.js';

const send = (): void => undefined;

function optionOf(resolve: () => unknown): string {
  try {
    resolve();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.option;
    throw error;
  }
  throw new Error('was taken');
}

describe('option outbox', () => {
  it('left out sends nothing; with a sender alone it is what is written down', () => {
    expect(resolveOutbox(undefined, defaultRetryPolicy)).toBeNull();
    expect(resolveOutbox({ send }, { ...defaultRetryPolicy, firstDelayMs: 7, maxDurationMs: 10 })).toMatchObject({
      batchSize: 100,
      concurrency: 10,
      timeoutMs: 30_000,
      retry: { maxAttempts: 50, firstDelayMs: 7, maxDurationMs: Infinity, jitter: true },
    });
    expect(resolveOutbox({ send }, { ...defaultRetryPolicy, maxAttempts: Infinity })?.retry.maxAttempts).toBe(Infinity);
    expect(resolveOutbox({ send, timeout: Infinity, retry: { maxAttempts: 2 } }, defaultRetryPolicy)).toMatchObject({
      timeoutMs: null,
      retry: { maxAttempts: 2, firstDelayMs: 1000 },
    });
  });

  it('calls a sender that is a method as one', async () => {
    const seen: unknown[] = [];
    const options: OutboxOptions = {
      batchSize: 7,
      send() {
        seen.push(this.batchSize);
      },
    };
    const event = { id: 'e', type: 't', source: 's', subject: undefined, time: new Date(), extensions: {}, data: 1 };
    await resolveOutbox(options, defaultRetryPolicy)!.send(event, { attempt: 1, signal: new AbortController().signal });
    expect(seen).toEqual([7]);
  });

  it.each<[string, unknown]>([
    ['outbox', 'send'],
    ['outbox', null],
    ['outbox.send', {}],
    ['outbox.send', { send: 'http://localhost' }],
    ['outbox.sender', { send, sender: 1 }],
    ['outbox.batchSize', { send, batchSize: 0 }],
    ['outbox.concurrency', { send, concurrency: 1.5 }],
    ['outbox.timeout', { send, timeout: 0 }],
    ['outbox.timeout', { send, timeout: 'soon' }],
    ['outbox.retry.maxAttempts', { send, retry: { maxAttempts: 0 } }],
  ])('is refused, naming %s: %j', (option, given) => {
    expect(optionOf(() => resolveOutbox(given as OutboxOptions, defaultRetryPolicy))).toBe(option);
  });
});

describe('option retention', () => {
  it('left out keeps everything but the marks of seen events and the oldest of very many queued messages', () => {
    expect(resolveRetention(undefined)).toEqual({
      instances: { completed: null, failed: null, cancelled: null, recurred: null },
      sentEvents: null,
      seenEvents: 30 * 86_400_000,
      queuedMessages: null,
      mostQueued: 10_000,
    });
    expect(resolveRetention({ completed: '7d', failed: 5, seenEvents: Infinity, sentEvents: '1h', recurred: 0 })).toMatchObject({
      instances: { completed: 604_800_000, failed: 5, cancelled: null, recurred: 0 },
      sentEvents: 3_600_000,
      seenEvents: null,
    });
  });

  it.each<[string, unknown]>([
    ['retention', 'forever'],
    ['retention.complete', { complete: '1d' }],
    ['retention.completed', { completed: -1 }],
    ['retention.seenEvents', { seenEvents: 'never' }],
  ])('is refused, naming %s: %j', (option, given) => {
    expect(optionOf(() => resolveRetention(given as RetentionOptions))).toBe(option);
  });
});
