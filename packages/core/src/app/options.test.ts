// Options: what is assumed, what is refused, and that the refusal names the option and what it takes.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../authoring/define-workflow.js';
import { ConfigurationError, InvalidArgumentError } from '../domain/errors.js';
import type { Notifier } from '../ports/notifier.js';
import { createMemoryNotifierHub, createMemoryStorage } from '../testing/index.js';
import { createJsonCodec } from './json-codec.js';
import { resolveOptions, type RomancyOptions } from './options.js';
import { silentLogger } from './silent-logger.js';

const storage = createMemoryStorage();
const resolve = (options: Partial<RomancyOptions> = {}) => resolveOptions({ storage, ...options });
const notifierFor = (...storageKinds: string[]): Notifier => createMemoryNotifierHub({ storageKinds }).createNotifier();

/** The error's option, and its message. */
function refused(options: Partial<RomancyOptions>): { readonly option: string; readonly message: string } {
  try {
    resolve(options);
  } catch (error) {
    if (error instanceof ConfigurationError) return { option: error.option, message: error.message };
    if (error instanceof InvalidArgumentError) return { option: error.argument, message: error.message };
    throw error;
  }
  throw new Error('was taken');
}

describe('options', () => {
  it('left out are what is written down', () => {
    const options = resolve();
    expect(options).toMatchObject({
      notifier: null,
      serviceName: 'romancy',
      concurrency: 100,
      workflowPollIntervalMs: 1000,
      timerPollIntervalMs: 1000,
      channelTimeoutIntervalMs: 5000,
      notifyFallbackIntervalMs: 30_000,
      claimBatchSize: 100,
      mailLimit: 100,
      leaseMs: 30_000,
      shutdownTimeoutMs: 30_000,
      retry: { maxAttempts: 5, firstDelayMs: 1000, factor: 2, maxDelayMs: 60_000, jitter: true, maxDurationMs: Infinity },
      maxPayloadBytes: 16 * 1024 * 1024,
    });
    expect(options.newWorkerId()).not.toBe(options.newWorkerId());
    expect(resolve({ workerId: 'web-1' }).newWorkerId()).toMatch(/^web-1-.{36}$/);
    expect(Object.isFrozen(options)).toBe(true);
  });

  it('of length take durations, and a batch is the smaller of two', () => {
    expect(
      resolve({
        workflowPollInterval: '250ms',
        timerPollInterval: 20,
        channelTimeoutInterval: '1m',
        notifyFallbackInterval: '1h30m',
        leaseDuration: '1s',
        shutdownTimeout: 0,
        maxWorkflowsPerBatch: 7,
        maxTimersPerBatch: 9,
        maxMessagesPerBatch: 3,
        retry: { maxAttempts: Infinity },
      }),
    ).toMatchObject({
      workflowPollIntervalMs: 250,
      timerPollIntervalMs: 20,
      channelTimeoutIntervalMs: 60_000,
      notifyFallbackIntervalMs: 5_400_000,
      leaseMs: 1000,
      shutdownTimeoutMs: 0,
      claimBatchSize: 7,
      mailLimit: 3,
      retry: { maxAttempts: Infinity, factor: 2 },
    });
  });

  it.each<[string, unknown, string]>([
    ['concurrency', 0, 'a whole number from 1'],
    ['concurrency', 1.5, 'a whole number from 1'],
    ['concurrency', Number.NaN, 'a whole number from 1'],
    ['concurrency', '10', 'a whole number from 1'],
    ['maxWorkflowsPerBatch', 0, 'a whole number from 1'],
    ['maxTimersPerBatch', -1, 'a whole number from 1'],
    ['maxMessagesPerBatch', Infinity, 'a whole number from 1'],
    ['maxPayloadBytes', 0, 'a whole number from 1'],
    ['workflowPollInterval', 5, 'at least 10 ms'],
    ['timerPollInterval', '9ms', 'at least 10 ms'],
    ['channelTimeoutInterval', 0, 'at least 10 ms'],
    ['notifyFallbackInterval', -1, '30s'],
    ['leaseDuration', '999ms', 'at least 1000 ms'],
    ['leaseDuration', 'a while', '5m'],
    ['shutdownTimeout', Number.NaN, '30s'],
    ['workerId', '', '1 to 255 characters'],
    ['workerId', 'x'.repeat(201), '1 to 200'],
    ['serviceName', 'x'.repeat(256), '1 to 255 characters'],
    ['workflows', {}, 'a list of what defineWorkflow returned'],
    ['errors', 5, 'a list of error classes'],
    ['listenNotify', 'yes', 'true or false'],
    ['storage', {}, 'createSqliteStorage'],
    ['logger', {}, 'debug, info, warn, error'],
    ['logger', 'silent', 'silentLogger'],
    ['notifier', {}, 'start, send, status, stop'],
    ['clock', { now: Date.now }, 'now, monotonic, schedule'],
    ['entropy', null, 'random, uuid'],
    ['codec', { encode: JSON.stringify }, 'encode, decode'],
    ['hooks', 5, 'an object'],
    ['retry', 5, 'maxAttempts'],
  ])('%s of %j is refused', (option, value, allowed) => {
    const refusal = refused({ [option]: value });
    expect(refusal.option).toBe(option);
    expect(refusal.message).toContain(option);
    expect(refusal.message).toContain(allowed);
  });

  it.each([
    ['retry.maxAttempts', { maxAttempts: 0 }],
    ['retry.factor', { factor: 0.5 }],
    ['retry.nonRetryable[0]', { nonRetryable: ['Error'] }],
  ])('%s out of range is refused', (option, retry) => {
    expect(refused({ retry: retry as never }).option).toBe(option);
  });

  it.each<[string, object]>([
    ['hooks.onWorkflowStarted', { hooks: { onWorkflowStarted: () => undefined } }],
    ['hooks.onWorkflowEnd', { hooks: { onWorkflowEnd: 'log' } }],
    ['retry.attempts', { retry: { attempts: 3 } }],
    ['concurency', { concurency: 5 }],
    ['errors', { errors: [], codec: createJsonCodec() }],
  ])('that nobody would read are refused: %s', (option, options) => {
    const refusal = refused(options);
    expect(refusal.option).toBe(option);
    expect(refusal.message).toContain(option);
  });

  it('take parts by their shape, with members of their own', () => {
    class Metrics {
      started = 0;
      onWorkflowStart(): void {
        this.started++;
      }
    }
    const [hooks, logger] = [new Metrics(), console];
    expect(resolve({ hooks, logger })).toMatchObject({ hooks, logger });
    expect(resolve({ logger: silentLogger, hooks: undefined as never }).logger).toBe(silentLogger);
  });

  it('that are no object are refused', () => {
    for (const none of [undefined, null, 5, []]) {
      expect(() => resolveOptions(none as never)).toThrow(/it takes an object with some of storage/);
    }
  });

  it('without a storage are refused, with the names of those that there are', () => {
    for (const none of [undefined, null, 'postgres://']) {
      expect(() => resolveOptions({ storage: none as never })).toThrow(/createSqliteStorage.*createPostgresStorage/);
    }
  });

  it('hold each workflow once, and nothing that is none', () => {
    const order = defineWorkflow('order', () => 1);
    expect([...resolve({ workflows: [order] }).workflows]).toEqual([['order', order]]);
    const twice = refused({ workflows: [order, defineWorkflow('order', () => 2)] });
    expect(twice).toEqual({ option: 'workflows', message: expect.stringContaining('"order"') });
    for (const none of [() => 1, null, undefined, { name: 'order' }]) {
      expect(refused({ workflows: [none as never] })).toEqual({
        option: 'workflows',
        message: expect.stringContaining('defineWorkflow'),
      });
    }
  });

  it('use a notifier that fits when it is plugged in, unless they say no', () => {
    const fits = notifierFor('postgres', 'memory');
    expect(resolve({ notifier: fits }).notifier).toBe(fits);
    expect(resolve({ notifier: fits, listenNotify: true }).notifier).toBe(fits);
    expect(resolve({ notifier: fits, listenNotify: false }).notifier).toBeNull();
    expect(resolve({ listenNotify: false }).notifier).toBeNull();
    expect(refused({ listenNotify: true })).toEqual({
      option: 'listenNotify',
      message: expect.stringContaining('no notifier is plugged in'),
    });
    expect(refused({ notifier: notifierFor('postgres') })).toEqual({
      option: 'notifier',
      message: expect.stringContaining('not beside memory'),
    });
  });
});
