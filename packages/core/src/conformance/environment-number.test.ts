// Numbers out of the environment: what is not one is refused at once.
import { afterEach, expect, it, vi } from 'vitest';
import { environmentNumber } from './environment-number.js';
import { resolveSoakOptions } from './soak-options.js';
import { streamCount } from './soak-plan.js';

afterEach(() => vi.unstubAllEnvs());

it.each([
  ['unset', undefined, 7],
  ['empty', '', 7],
  ['given', '2000', 2000],
  ['the least', '1', 1],
])('a variable that is %s', (_what, text, number) => {
  vi.stubEnv('ROMANCY_SOAK_TEST', text);
  expect(environmentNumber('ROMANCY_SOAK_TEST', { byDefault: 7 })).toBe(number);
});

it.each(['0', '-1', '1.5', '1e3', '2k', ' 2', 'NaN', 'Infinity', '99999999999999999999'])('%s is refused', (text) => {
  vi.stubEnv('ROMANCY_SOAK_TEST', text);
  expect(() => environmentNumber('ROMANCY_SOAK_TEST', { byDefault: 7 })).toThrow(
    new RangeError(`ROMANCY_SOAK_TEST must be a whole number from 1 on, not "${text}"`),
  );
});

it('the least may be 0', () => {
  vi.stubEnv('ROMANCY_SOAK_TEST', '0');
  expect(environmentNumber('ROMANCY_SOAK_TEST', { byDefault: 7, least: 0 })).toBe(0);
});

it('a soak shares its messages among its parts, and has as many events for each stream', () => {
  vi.stubEnv('ROMANCY_SOAK_MESSAGES', '30001');
  vi.stubEnv('ROMANCY_SOAK_PARTS', '7');
  vi.stubEnv('ROMANCY_SOAK_SEED', '0');
  const { messages, publishers, parts, events, seed } = resolveSoakOptions({ leaseMs: 1000, waitMs: 1 });
  expect({ messages, publishers, parts, seed }).toEqual({ messages: 4286, publishers: 429, parts: 7, seed: 0 });
  expect(events / streamCount).toBe(151);
  vi.stubEnv('ROMANCY_SOAK_PARTS', '0');
  expect(() => resolveSoakOptions({ leaseMs: 1000, waitMs: 1 })).toThrow(/ROMANCY_SOAK_PARTS/);
});
