// Names of error classes: what is found under them, and what is refused.
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ConfigurationError, RomancyError, TerminalError, ValidationError as OwnValidationError } from '../domain/errors.js';
import { createErrorRegistry, type RegisteredError } from './error-registry.js';

class PaymentDeclined extends Error {}
class CardExpired extends PaymentDeclined {}
class LastResort extends TerminalError {}

const otherPaymentDeclined = (() => {
  class PaymentDeclined extends Error {}
  return PaymentDeclined;
})();

describe('the names of an error', () => {
  const registry = createErrorRegistry([]);

  test.each<[string, Error, string[]]>([
    ['a plain error', new Error('e'), []],
    ['a built-in class', new RangeError('e'), ['RangeError']],
    ['an AggregateError', new AggregateError([]), ['AggregateError']],
    ['a DOMException', new DOMException('e', 'AbortError'), ['DOMException']],
    ['a class of Romancy', new TerminalError('e'), ['romancy:TerminalError', 'romancy:RomancyError']],
    ['a user’s class', new CardExpired('e'), ['CardExpired', 'PaymentDeclined']],
    ['a user’s class over one of Romancy', new LastResort('e'), ['LastResort', 'romancy:TerminalError', 'romancy:RomancyError']],
    ['a class without a name', new (class extends PaymentDeclined {})('e'), ['PaymentDeclined']],
    ['a built-in class of another realm', runInNewContext('new SyntaxError()') as Error, ['SyntaxError']],
  ])('%s', (_name, error, names) => {
    expect(registry.namesOf(error)).toEqual(names);
  });

  test('a user’s class that only has the name of a built-in one, or of one of Romancy, is not that', () => {
    const classes = {
      TypeError: class TypeError extends PaymentDeclined {},
      ValidationError: class ValidationError extends Error {},
      RomancyError: class RomancyError extends Error {},
      DOMException: class DOMException extends Error {},
    };
    expect(registry.namesOf(new classes.TypeError())).toEqual(['PaymentDeclined']);
    expect(registry.namesOf(new classes.DOMException())).toEqual([]);
    expect(registry.namesOf(new classes.ValidationError())).toEqual(['ValidationError']);
    expect(registry.namesOf(new classes.RomancyError())).toEqual(['RomancyError']);
    expect(registry.prototypeFor(['ValidationError'])).toBeUndefined();
    const own = new (class ValidationError extends TerminalError {})('e');
    expect(registry.namesOf(own)).toEqual(['ValidationError', 'romancy:TerminalError', 'romancy:RomancyError']);
  });

  test('a class that gives itself an odd name has none', () => {
    class Odd extends Error {
      static override readonly name = 'romancy:TerminalError';
    }
    class Odder extends Error {
      static override readonly name = 'a\0';
    }
    expect(registry.namesOf(new Odd())).toEqual([]);
    expect(registry.namesOf(new Odder())).toEqual([]);
    const bare = Object.setPrototypeOf(new Error('e'), Object.create(PaymentDeclined.prototype) as object) as Error;
    expect(registry.namesOf(bare)).toEqual(['PaymentDeclined']);
  });
});

describe('registered classes', () => {
  test('are found by their own name or the one given', () => {
    const registry = createErrorRegistry([PaymentDeclined, { name: 'card.expired', errorClass: CardExpired }]);
    expect(registry.namesOf(new CardExpired())).toEqual(['card.expired', 'PaymentDeclined']);
    expect(registry.prototypeFor(['card.expired'])).toBe(CardExpired.prototype);
    expect(registry.prototypeFor(['CardExpired', 'PaymentDeclined'])).toBe(PaymentDeclined.prototype);
    expect(registry.prototypeFor(['CardExpired'])).toBeUndefined();
    expect(registry.prototypeFor([])).toBeUndefined();
  });

  test('may be given several names: the first is written, all are read', () => {
    const registry = createErrorRegistry([CardExpired, { name: 'OldName', errorClass: CardExpired }, CardExpired]);
    expect(registry.namesOf(new CardExpired())[0]).toBe('CardExpired');
    expect(registry.prototypeFor(['OldName'])).toBe(CardExpired.prototype);
  });

  test('may have the name of a class of Romancy', () => {
    class ValidationError extends Error {}
    const registry = createErrorRegistry([ValidationError]);
    expect(registry.prototypeFor(registry.namesOf(new ValidationError()))).toBe(ValidationError.prototype);
    const own = new OwnValidationError({ what: 'input', issues: [] });
    expect(registry.prototypeFor(registry.namesOf(own))).toBe(OwnValidationError.prototype);
  });

  test.each<[string, readonly unknown[], string]>([
    ['no class', [{ name: 'x', errorClass: {} }], 'x is no class that extends Error'],
    ['a function', [() => 1], 'is no class that extends Error'],
    ['a class of something else', [Map], 'Map is no class that extends Error'],
    ['Error itself', [Error], 'Error is no class that extends Error'],
    ['nothing', [undefined], 'undefined is no class that extends Error'],
    ['no name', [class extends Error {}], 'no usable name'],
    ['an empty name', [{ name: '', errorClass: PaymentDeclined }], 'no usable name'],
    ['a name that no database holds', [{ name: 'a\0', errorClass: PaymentDeclined }], 'no usable name'],
    ['the name of a built-in class', [{ name: 'TypeError', errorClass: PaymentDeclined }], "name: 'my-TypeError'"],
    ['a name with our prefix', [{ name: 'romancy:X', errorClass: PaymentDeclined }], 'belongs to a built-in class'],
    ['two classes of one name', [PaymentDeclined, otherPaymentDeclined], 'two classes are named PaymentDeclined'],
  ])('%s is refused', (_name, errors, message) => {
    let refused: unknown;
    try {
      createErrorRegistry(errors as readonly RegisteredError[]);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(ConfigurationError);
    expect(refused).toMatchObject({ option: 'errors', message: expect.stringContaining(message) as string });
  });
});

test('every class of Romancy is known, the base too', () => {
  const registry = createErrorRegistry([]);
  expect(registry.prototypeFor(['romancy:NewerThanThis', 'romancy:RomancyError'])).toBe(RomancyError.prototype);
  expect(registry.prototypeFor(['romancy:LeaseLostError'])).toBeDefined();
});
