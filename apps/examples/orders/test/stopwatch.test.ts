// Shows what the stopwatch counts, and what it makes of it.
import { expect, it } from 'vitest';
import { Stopwatch } from '../src/stopwatch.js';
import type { Resumption } from '../src/worker.js';

function resumption(instanceId: string, notifier: string | null = 'healthy'): Resumption {
  return { instanceId, at: process.hrtime.bigint().toString(), notifier };
}

it('takes times that were measured for its percentiles', () => {
  const stopwatch = new Stopwatch(0);
  const now = process.hrtime.bigint();
  for (let number = 1; number <= 200; number++) stopwatch.begin(`order-${number}`);
  for (let number = 200; number >= 1; number--) {
    stopwatch.end({ instanceId: `order-${number}`, at: (now + BigInt(number) * 1_000_000_000n).toString(), notifier: 'healthy' });
  }
  const { count, p50, p99, unheard } = stopwatch.latencies();
  expect({ count, unheard }).toEqual({ count: 200, unheard: 0 });
  // Each began a moment after `now`.
  expect(p50).toBeLessThanOrEqual(100_000);
  expect(p50).toBeGreaterThan(99_000);
  expect(p99).toBeLessThanOrEqual(198_000);
  expect(p99).toBeGreaterThan(197_000);
});

it('counts each order once, and none that warmed it up or of which it knows nothing', () => {
  const stopwatch = new Stopwatch(1);
  for (const id of ['early', 'early', 'heard', 'heard', 'polled', 'alone']) stopwatch.begin(id);
  stopwatch.end(resumption('early'));
  stopwatch.end(resumption('heard'));
  stopwatch.end(resumption('heard', 'connecting'));
  stopwatch.end(resumption('polled', null));
  stopwatch.end(resumption('unknown', null));
  expect(stopwatch.latencies()).toMatchObject({ count: 2, unheard: 1 });
});

it('has no percentiles of nothing', () => {
  expect(new Stopwatch(0).latencies()).toEqual({ count: 0, p50: Number.NaN, p99: Number.NaN, unheard: 0 });
});
