// Definitions: what is wrong with one is said where it is made, not when it first runs.
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../domain/errors.js';
import { defineActivity } from './define-activity.js';
import { defineWorkflow } from './define-workflow.js';

const run = (): number => 1;
const schema = { '~standard': { version: 1, vendor: 'tests', validate: (value: unknown) => ({ value }) } };

function refusalOf(define: () => unknown): { readonly option: string; readonly message: string } {
  try {
    define();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return error as ConfigurationError;
  }
  throw new Error('was taken');
}

describe('an activity', () => {
  it.each<[string, object, string]>([
    ['activity charge: options.undo', { undo: run }, 'retry, timeout, input, output, compensate'],
    ['activity charge: options.retries', { retries: 3 }, 'retry, timeout, input, output'],
    ['activity charge: retry', { retry: 3 }, 'maxAttempts'],
    ['activity charge: retry.maxAttempts', { retry: { maxAttempts: 0 } }, 'from 1'],
    ['timeout', { timeout: 0 }, 'more than 0'],
    ['activity charge: input', { input: {} }, 'Standard Schema'],
    ['activity charge: output', { output: null }, 'Standard Schema'],
  ])('is refused for %s', (option, options, allowed) => {
    const refusal = refusalOf(() => defineActivity('charge', run, options));
    expect(refusal.option).toBe(option);
    expect(refusal.message).toContain('activity charge');
    expect(refusal.message).toContain(allowed);
  });

  it('takes options that are left out, and no time limit', () => {
    const options = { retry: undefined as never, timeout: Infinity, input: schema as never, output: undefined as never };
    expect(defineActivity('charge', run, options).options.timeout).toBe(Infinity);
    expect(refusalOf(() => defineActivity('charge', run, null as never)).message).toContain('null');
  });
});

describe('a workflow', () => {
  it.each<[string, unknown, string]>([
    ['workflow order: options.retry', { retry: {} }, 'input, output'],
    ['workflow order: options', null, 'null'],
    ['workflow order: input', { input: (value: unknown) => value }, 'Standard Schema'],
    ['workflow order: output', { output: { validate: run } }, 'Standard Schema'],
    ['workflow order: startOn', { startOn: 3 }, 'order.paid'],
    ['workflow order: startOn', { startOn: null }, 'order.paid'],
    ['workflow order: startOn', { startOn: false }, 'order.paid'],
  ])('is refused for %s', (option, options, allowed) => {
    const refusal = refusalOf(() => defineWorkflow('order', run, options as never));
    expect(refusal.option).toBe(option);
    expect(refusal.message).toContain(allowed);
  });

  it('takes a schema that is a function, as some libraries make them', () => {
    const callable = Object.assign(() => undefined, schema);
    expect(defineWorkflow('order', run, { input: callable as never }).name).toBe('order');
  });
});
