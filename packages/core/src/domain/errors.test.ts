// The errors of Romancy: codes, fields, causes, and instanceof across copies of the package.
import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as errors from './errors.js';

const samples: readonly [errors.RomancyError, object][] = [
  [new errors.ConfigurationError('m', { option: 'retry' }), { code: 'CONFIGURATION', option: 'retry', message: 'm' }],
  [new errors.InvalidArgumentError('m', { argument: 'cursor' }), { code: 'INVALID_ARGUMENT', argument: 'cursor' }],
  [new errors.NotRunningError('m'), { code: 'NOT_RUNNING' }],
  [new errors.InstanceConflictError({ instanceId: 'i"1' }), { code: 'INSTANCE_CONFLICT', instanceId: 'i"1' }],
  [new errors.InstanceNotFoundError({ instanceId: 'i' }), { code: 'INSTANCE_NOT_FOUND', instanceId: 'i' }],
  [
    new errors.InstanceFinishedError({ instanceId: 'i', status: 'failed' }),
    { code: 'INSTANCE_FINISHED', instanceId: 'i', status: 'failed' },
  ],
  [new errors.WorkflowFailedError({ instanceId: 'i', cause: 1 }), { code: 'WORKFLOW_FAILED', instanceId: 'i', cause: 1 }],
  [
    new errors.WorkflowCancelledError({ instanceId: 'i', reason: null }),
    { code: 'WORKFLOW_CANCELLED', instanceId: 'i', reason: null },
  ],
  [new errors.ResultTimeoutError({ instanceId: 'i', timeoutMs: 5 }), { code: 'RESULT_TIMEOUT', instanceId: 'i', timeoutMs: 5 }],
  [
    new errors.ActivityFailedError({ activityId: 'a:1', attempts: 2, cause: undefined }),
    { code: 'ACTIVITY_FAILED', activityId: 'a:1', attempts: 2, cause: undefined },
  ],
  [
    new errors.ActivityTimeoutError({ activityId: 'a:1', timeoutMs: 5 }),
    { code: 'ACTIVITY_TIMEOUT', activityId: 'a:1', timeoutMs: 5 },
  ],
  [new errors.TerminalError('m'), { code: 'TERMINAL' }],
  [new errors.WaitTimeoutError({ waitedFor: 'paid', timeoutMs: 5 }), { code: 'WAIT_TIMEOUT', waitedFor: 'paid', timeoutMs: 5 }],
  [
    new errors.NonDeterminismError({ instanceId: 'i', workflowName: 'w', position: 3, actual: 'A', expected: 'E' }),
    { code: 'NON_DETERMINISM', instanceId: 'i', position: 3, actual: 'A', expected: 'E' },
  ],
  [
    new errors.DuplicateCallIdError({ instanceId: 'i', callId: 'c' }),
    { code: 'DUPLICATE_CALL_ID', instanceId: 'i', callId: 'c' },
  ],
  [
    new errors.ChannelModeConflictError({ channel: 'c', mode: 'broadcast', requested: 'competing' }),
    { code: 'CHANNEL_MODE_CONFLICT', channel: 'c', mode: 'broadcast', requested: 'competing' },
  ],
  [new errors.NotSubscribedError({ instanceId: 'i', channel: 'c' }), { code: 'NOT_SUBSCRIBED', instanceId: 'i', channel: 'c' }],
  [
    new errors.CompensationNotFoundError({ instanceId: 'i', workflowName: 'w', activityId: 'a:1', activityName: 'a' }),
    { code: 'COMPENSATION_NOT_FOUND', instanceId: 'i', activityId: 'a:1' },
  ],
  [new errors.NestedCallError({ activityId: 'a:1', verb: 'run' }), { code: 'NESTED_CALL', activityId: 'a:1' }],
  [new errors.PayloadNotSerializableError('m', { path: '$.a' }), { code: 'PAYLOAD_NOT_SERIALIZABLE', path: '$.a' }],
  [new errors.PayloadTooLargeError({ what: 'input', bytes: 11, limit: 10 }), { code: 'PAYLOAD_TOO_LARGE', bytes: 11, limit: 10 }],
  [
    new errors.ValidationError({ what: 'input', issues: [{ path: '$', message: 'm' }] }),
    { code: 'VALIDATION', issues: [{ path: '$', message: 'm' }], message: 'input is not valid: $: m' },
  ],
  [new errors.LeaseLostError({ workerId: 'w' }), { code: 'LEASE_LOST', workerId: 'w' }],
  [new errors.StorageUnavailableError('m', { cause: 'c' }), { code: 'STORAGE_UNAVAILABLE', cause: 'c' }],
  [new errors.SchemaVersionError('m'), { code: 'SCHEMA_VERSION' }],
  [new errors.TransactionError('m'), { code: 'TRANSACTION' }],
];

describe.each(samples.map(([error, fields]) => [error.name, error, fields] as const))('%s', (name, error, fields) => {
  test('has its name, a code, its fields, a message and a stack', () => {
    expect(error.constructor.name).toBe(name);
    expect(error).toMatchObject(fields);
    expect(error.message).not.toBe('');
    expect(error.stack).toContain('errors.test');
    expect(Object.hasOwn(error, 'cause')).toBe('cause' in fields);
  });

  test('is an instance of its class, the base and Error, and of no other class', () => {
    expect(error).toBeInstanceOf(Error);
    const classes = Object.values(errors).filter((exported) => (error as unknown) instanceof exported);
    expect(classes.map((found) => found.name).sort()).toEqual(['RomancyError', name].sort());
  });
});

test('each class has a sample here, and a code of its own', () => {
  const classes = Object.values(errors).filter((exported) => exported !== errors.RomancyError);
  expect(samples.map(([error]) => error.constructor.name).sort()).toEqual(classes.map((found) => found.name).sort());
  expect(new Set(samples.map(([error]) => error.code)).size).toBe(samples.length);
});

test('whatever was thrown, the error about it can be made and says something', () => {
  const bare = Object.create(null) as object;
  const thrown: readonly [unknown, string][] = [
    [new Error('declined'), 'declined'],
    [{ message: 'declined', code: 1 }, 'declined'],
    ['declined', 'declined'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [bare, '[object Object]'],
    [{ toString: 1 }, '[object Object]'],
  ];
  for (const [cause, message] of thrown) {
    const failed = new errors.ActivityFailedError({ activityId: 'charge:1', attempts: 1, cause });
    expect(failed.message).toBe(`activity charge:1 failed after 1 attempt: ${message}`);
    expect(failed.cause).toBe(cause);
    expect(new errors.WorkflowFailedError({ instanceId: 'i', cause }).message).toBe(`workflow instance "i" failed: ${message}`);
  }
  const why = new errors.ActivityFailedError({ activityId: 'a:1', attempts: 2, cause: 'c', why: 'not retryable' });
  expect(why.message).toBe('activity a:1 failed after 2 attempts (not retryable): c');
});

describe('instanceof across two copies of the package', () => {
  let other: typeof errors;
  beforeAll(async () => {
    vi.resetModules();
    other = await import('./errors.js');
  });

  test('the copies are two', () => {
    expect(other.TerminalError).not.toBe(errors.TerminalError);
  });

  test('an error of one is an instance of the same class of the other, and of no other class', () => {
    for (const [error] of samples) {
      const classes = Object.values(other).filter((exported) => (error as unknown) instanceof exported);
      expect(classes.map((found) => found.name).sort()).toEqual(['RomancyError', error.name].sort());
    }
  });

  test('a class that a user derived from one copy is of the other’s class that it extends', () => {
    class GaveUp extends other.TerminalError {}
    const error: unknown = new GaveUp('e');
    expect(error).toBeInstanceOf(errors.TerminalError);
    expect(error).toBeInstanceOf(errors.RomancyError);
    expect(error).not.toBeInstanceOf(errors.LeaseLostError);
  });

  test('a class that a user derived and named like another of Romancy is not that one', () => {
    class LeaseLostError extends other.TerminalError {}
    const error: unknown = new LeaseLostError('e');
    expect(error).toBeInstanceOf(errors.TerminalError);
    expect(error).not.toBeInstanceOf(errors.LeaseLostError);
    expect(error).not.toBeInstanceOf(other.LeaseLostError);
  });
});

test('two classes of users that merely share a name are two', () => {
  const load = () => {
    class NotFound extends errors.TerminalError {}
    return NotFound;
  };
  const [first, second] = [load(), load()];
  const error: unknown = new first('e');
  expect(error).toBeInstanceOf(first);
  expect(error).not.toBeInstanceOf(second);
});

test('nothing else is an instance', () => {
  class TerminalError extends Error {}
  class RomancyError extends Error {}
  const lookalikes = [
    new TerminalError(),
    new RomancyError(),
    new Error(),
    null,
    undefined,
    'TerminalError',
    {},
    () => 1,
    Object.create(null),
  ];
  for (const value of lookalikes) {
    expect(value instanceof errors.TerminalError).toBe(false);
    expect(value instanceof errors.RomancyError).toBe(false);
  }
});
