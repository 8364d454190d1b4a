// Earlier parts have names that can be asked for, however long the id of their instance is.
import { expect, it } from 'vitest';
import { isName, longestName } from '../domain/ids.js';
import { archiveIdOf } from './archive-id.js';

it('puts the number of the part behind the id', () => {
  expect(archiveIdOf('order-42', 3)).toBe('order-42~3');
});

it.each(['x', '\u{1f600}', 'a\u{1f600}'])('leaves room for a UUID behind it, and halves no character of %s', (unit) => {
  for (const length of [200, 213, 214, 215, 254, 255]) {
    const id = unit.repeat(Math.floor(length / unit.length));
    const archive = archiveIdOf(id, 12);
    expect(isName(archive)).toBe(true);
    expect(archive.endsWith('~12')).toBe(true);
    expect(archive.length + 1 + 36).toBeLessThanOrEqual(longestName);
  }
});
