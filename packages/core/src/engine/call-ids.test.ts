// Identities of durable calls: the same calls in the same order have the same ones, and no two have one.
import { describe, expect, it } from 'vitest';
import { DuplicateCallIdError, InvalidArgumentError } from '../domain/errors.js';
import { CallIds } from './call-ids.js';

describe('call ids', () => {
  it('count per name, and stand in the order of the calls', () => {
    const ids = new CallIds('i');
    expect(['charge', 'refund', 'charge', 'charge'].map((name) => ids.next(name))).toEqual([
      { position: 0, id: 'charge:1' },
      { position: 1, id: 'refund:1' },
      { position: 2, id: 'charge:2' },
      { position: 3, id: 'charge:3' },
    ]);
    expect(ids.issued).toBe(4);
  });

  it('that are given do not count', () => {
    const ids = new CallIds('i');
    expect(['', 'own', ''].map((id) => ids.next('charge', id === '' ? undefined : id).id)).toEqual([
      'charge:1',
      'own',
      'charge:2',
    ]);
  });

  it.each([
    ['an explicit one twice', ['own', 'own']],
    ['an explicit one that was counted before', [undefined, undefined, 'charge:2']],
    ['a counted one that was explicit before', ['charge:1', undefined]],
  ])('are refused when they are taken: %s', (_what, given) => {
    const ids = new CallIds('i');
    const calls = given.map((id) => () => ids.next('charge', id));
    const last = calls.pop()!;
    for (const call of calls) call();
    const issued = ids.issued;
    expect(last).toThrow(DuplicateCallIdError);
    // A refused call has no place in the order.
    expect(ids.issued).toBe(issued);
    expect(ids.next('other').position).toBe(issued);
  });

  it('that no database can hold are refused', () => {
    const ids = new CallIds('i');
    for (const odd of ['', 'a\u0000b', 'x'.repeat(256), '\ud800'])
      expect(() => ids.next('charge', odd)).toThrow(InvalidArgumentError);
  });
});
