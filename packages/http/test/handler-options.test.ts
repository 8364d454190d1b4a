// Which options the handler takes.
import { ConfigurationError, silentLogger } from '@romancy/core';
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { recordingApp } from './recording-app.js';
import { structured } from './requests.js';

describe('options', () => {
  test.each([
    ['basePath', 'romancy'],
    ['basePath', '/a?b'],
    ['authenticate', true],
    ['authenticateHealth', 'yes'],
    ['maxBodyBytes', 0],
    ['maxBodyBytes', 1.5],
    ['maxBatchEvents', -1],
    ['maxPendingBytes', 1024],
    ['timeout', 0],
    ['timeout', '30'],
    ['timeout', '1000d'],
    ['logger', {}],
    ['loger', silentLogger],
  ])('%s: %j is refused at once', (option, value) => {
    expect(() => createHttpHandler(recordingApp(), { [option]: value })).toThrow(
      expect.objectContaining({ constructor: ConfigurationError, option }),
    );
  });

  test.each([
    ['basePath', 'romancy', `basePath is "romancy"; it takes a path such as '/romancy'`],
    ['maxBodyBytes', 0, 'maxBodyBytes is 0; it takes a whole number from 1'],
    ['maxPendingBytes', 1024, 'maxPendingBytes is 1024; it takes at least twice maxBodyBytes, which is 1048576'],
    ['logger', { secret: 42 }, 'logger is object; it takes an object with the method error'],
  ])('%s: %j is told with what it takes', (option, value, problem) => {
    expect(() => createHttpHandler(recordingApp(), { [option]: value })).toThrow(`createHttpHandler: ${problem}`);
  });

  test('what is no app is refused at once', () => {
    expect(() => createHttpHandler(undefined as never)).toThrow(ConfigurationError);
    expect(() => createHttpHandler({} as never)).toThrow(ConfigurationError);
  });

  test('all of them are taken', async () => {
    const handler = createHttpHandler(recordingApp(), {
      basePath: '/x',
      authenticate: () => true,
      authenticateHealth: true,
      maxBodyBytes: 1000,
      maxBatchEvents: 10,
      maxPendingBytes: 10_000,
      timeout: Number.POSITIVE_INFINITY,
      logger: silentLogger,
    });
    expect((await handler(structured({}, '/x/events'))).status).toBe(202);
  });
});
