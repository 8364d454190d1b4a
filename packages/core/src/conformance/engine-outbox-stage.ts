// Workflows that send events, and a sink that keeps them, for the cases of the outbox.
import { defineWorkflow, type OutgoingEvent, type OutboxOptions, type RetryOptions } from '../index.js';
import type { EngineHarness, TestApp } from './engine-harness.js';

/** Retries that nobody has to wait for. */
export const quick: RetryOptions = { maxAttempts: 3, firstDelay: 10, factor: 1, jitter: false };

/** A sink that keeps what it gets. */
export function sink(): { readonly got: OutgoingEvent[]; readonly ids: () => string[]; readonly send: OutboxOptions['send'] } {
  const got: OutgoingEvent[] = [];
  return { got, ids: () => got.map(({ id }) => id), send: (event) => void got.push(event) };
}

/** A workflow that sends so many events of its input as source, numbered. */
export function chatty(count: number): ReturnType<typeof defineWorkflow<string, void>> {
  return defineWorkflow('chatty', async (ctx, source: string) => {
    for (const number of range(count)) await ctx.sendEvent({ id: `${source}:${number}`, type: 'said', source, data: number });
  });
}

/** The numbers of so many events. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Resolves when so many events are sent. */
export async function allSent(harness: EngineHarness, app: TestApp, count: number): Promise<void> {
  await harness.until(async () => (await app.romancy.outbox.list({ status: 'sent', limit: 1000 })).events.length >= count);
}
