// The recording logger keeps what it was told.
import { expect, it } from 'vitest';
import { recordingLogger } from './recording-logger.js';

it('keeps lines in order, by level and by message, as they were at that moment', () => {
  const logger = recordingLogger();
  const fields = { workerId: 'w1' };
  logger.info('worker started', fields);
  fields.workerId = 'changed';
  logger.warn('worker slow');
  logger.error('storage down', { attempt: 2 });
  logger.debug('poll');
  expect(logger.lines.map(({ level }) => level)).toEqual(['info', 'warn', 'error', 'debug']);
  expect(logger.at('error')).toEqual([{ level: 'error', message: 'storage down', fields: { attempt: 2 } }]);
  expect(logger.matching('worker').map(({ message }) => message)).toEqual(['worker started', 'worker slow']);
  expect(logger.matching(/^poll$/)).toHaveLength(1);
  expect(logger.lines[0]?.fields).toEqual({ workerId: 'w1' });
  expect(logger.lines[1]?.fields).toEqual({});
});

it('forgets on request, also for who holds the list', () => {
  const logger = recordingLogger();
  const { lines } = logger;
  logger.info('one');
  logger.clear();
  logger.info('two');
  expect(lines.map(({ message }) => message)).toEqual(['two']);
});
