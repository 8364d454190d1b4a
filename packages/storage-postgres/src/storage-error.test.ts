// Which errors pass and which connections survive them.
import { InvalidArgumentError, StorageUnavailableError } from '@romancy/core/ports';
import { describe, expect, it } from 'vitest';
import { isPassing, leavesConnectionUsable, storageError } from './storage-error.js';

const coded = (code: string, message = 'no'): Error => Object.assign(new Error(message), { code });

describe('storageError', () => {
  it.each([
    ['a connection exception', coded('08006')],
    ['a refused connection of a pooler', coded('08P01')],
    ['too many connections', coded('53300')],
    ['a full disk', coded('53100')],
    ['a lack of memory', coded('53200')],
    ['a serialization failure', coded('40001')],
    ['a deadlock', coded('40P01')],
    ['a lock timeout', coded('55P03')],
    ['a statement timeout', coded('57014')],
    ['a shutdown', coded('57P01')],
    ['a crash', coded('57P02')],
    ['a start', coded('57P03')],
    ['a standby', coded('25006')],
    ['a reset connection', coded('ECONNRESET')],
    ['a broken pipe', coded('EPIPE')],
    ['an unknown host', coded('ENOTFOUND')],
    ['a terminated connection', new Error('Connection terminated unexpectedly')],
    ['a full pool', new Error('timeout exceeded when trying to connect')],
    [
      'several refused addresses',
      Object.assign(new AggregateError([coded('ECONNREFUSED', 'refused')]), { code: 'ECONNREFUSED' }),
    ],
  ])('takes %s as passing, with its cause', (_, cause) => {
    const error = storageError(cause) as StorageUnavailableError;
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(error.cause).toBe(cause);
    expect(error.message).not.toMatch(/: $/);
  });

  it.each([
    ['a wrong password', coded('28P01')],
    ['a missing database', coded('3D000')],
    ['a missing right', coded('42501')],
    ['a constraint', coded('23505')],
    ['bad text', coded('22P02')],
    ['a bug', new TypeError('x is not a function')],
    ['an error of the port', new InvalidArgumentError('no', { argument: 'x' })],
    ['what is no error', 'text'],
  ])('leaves %s as it is', (_, error) => {
    expect(isPassing(error)).toBe(false);
    expect(storageError(error)).toBe(error);
  });
});

describe('leavesConnectionUsable', () => {
  it.each(['23505', '40001', '40P01', '57014', '55P03', '25P02', '53100'])('is true after %s', (code) => {
    expect(leavesConnectionUsable(coded(code))).toBe(true);
  });

  it.each(['57P01', '57P05', '08006', '25P03', 'XX000', 'ECONNRESET', 'EPIPE'])('is false after %s', (code) => {
    expect(leavesConnectionUsable(coded(code))).toBe(false);
  });
});
