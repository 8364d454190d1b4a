// Errors through the codec: class, members, cause, and what happens where their class is not known.
import { types } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import * as errors from '../domain/errors.js';
import { createJsonCodec } from './json-codec.js';

class PaymentDeclined extends Error {
  readonly #attempts = 3;
  readonly code: string;
  readonly details: unknown;
  constructor(message: string, fields: { code: string; details?: unknown; cause?: unknown }) {
    super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.name = 'PaymentDeclined';
    this.code = fields.code;
    this.details = fields.details;
  }
  get isFinal(): boolean {
    return this.code === 'STOLEN';
  }
  get attempts(): number {
    return this.#attempts;
  }
}
class CardStolen extends PaymentDeclined {}
class GaveUp extends errors.TerminalError {
  readonly orderId = 7;
}

const plain = createJsonCodec();
const knowing = createJsonCodec({ errors: [PaymentDeclined, { name: 'card-stolen', errorClass: CardStolen }, GaveUp] });

function again<T>(value: T, codec = knowing): T {
  return codec.decode(codec.encode(value)) as T;
}

function declined(): PaymentDeclined {
  return new PaymentDeclined('no money', {
    code: 'FUNDS',
    details: { at: new Date(0), amount: 5n },
    cause: new RangeError('inner'),
  });
}

/** Members, whether enumerable or not, in an order that does not matter. */
function descriptors(error: Error): Record<string, PropertyDescriptor> {
  return Object.fromEntries(
    Object.getOwnPropertyNames(error)
      .sort()
      .map((key) => {
        const { value, get, enumerable } = Object.getOwnPropertyDescriptor(error, key)!;
        return [key, { value: (get === undefined ? value : get.call(error)) as unknown, enumerable: enumerable! }];
      }),
  );
}

describe('a registered class', () => {
  test('is kept with all that the error carries', () => {
    const error = declined();
    const back = again(error);
    expect(back).toBeInstanceOf(PaymentDeclined);
    expect(back.constructor).toBe(PaymentDeclined);
    expect(types.isNativeError(back)).toBe(true);
    expect(back).toStrictEqual(error);
    expect(descriptors(back)).toStrictEqual(descriptors(error));
    expect(back.isFinal).toBe(false);
    expect(back.cause).toBeInstanceOf(RangeError);
  });

  test('is restored without a call of its constructor or setters', () => {
    let calls = 0;
    class Counting extends Error {
      constructor() {
        super('e');
        calls++;
        Object.defineProperty(this, 'limit', { value: 1, enumerable: true });
      }
      set limit(_value: number) {
        calls++;
      }
    }
    const codec = createJsonCodec({ errors: [Counting] });
    const text = codec.encode(new Counting());
    calls = 0;
    expect(codec.decode(text)).toMatchObject({ limit: 1 });
    expect(calls).toBe(0);
  });

  test('loses what it keeps in private members', () => {
    expect(declined().attempts).toBe(3);
    expect(() => again(declined()).attempts).toThrow(TypeError);
  });

  test('is known by another name after it was renamed', () => {
    const text = knowing.encode(new CardStolen('gone', { code: 'STOLEN' }));
    expect(text).toContain('"class":"card-stolen","extends":["PaymentDeclined"]');
    class Renamed extends Error {}
    const renamed = createJsonCodec({ errors: [Renamed, { name: 'card-stolen', errorClass: Renamed }] });
    expect(renamed.decode(text)).toBeInstanceOf(Renamed);
  });

  test('of another copy of its module is that of the copy that is registered', () => {
    const load = () => {
      class Refused extends Error {
        readonly fields: object;
        constructor(message: string, fields: object) {
          super(message);
          this.fields = fields;
        }
      }
      return Refused;
    };
    const [first, second] = [load(), load()];
    const codec = createJsonCodec({ errors: [first] });
    const back = codec.decode(codec.encode(new second('e', { code: 'X' })));
    expect(back).toBeInstanceOf(first);
    expect(back).not.toBeInstanceOf(second);
    expect(back).toMatchObject({ message: 'e', fields: { code: 'X' } });
  });
});

describe('a class that is not registered', () => {
  test('leaves a plain error with its name and fields', () => {
    const back = again(declined(), plain);
    expect(back.constructor).toBe(Error);
    expect(back).toMatchObject({ name: 'PaymentDeclined', message: 'no money', code: 'FUNDS', details: { amount: 5n } });
    expect(back.stack).toContain('no money');
  });

  test('is found again where it is registered, also when others passed the error on', () => {
    const text = plain.encode(declined());
    expect(text).toContain('"class":"PaymentDeclined"');
    expect(knowing.decode(text)).toBeInstanceOf(PaymentDeclined);
    const passedOn = plain.encode({ wrapped: plain.decode(text) });
    expect((knowing.decode(passedOn) as { wrapped: unknown }).wrapped).toBeInstanceOf(PaymentDeclined);
    expect(plain.encode(plain.decode(text))).toBe(text);
  });

  test('is of the nearest class above that is known', () => {
    class Unknown extends GaveUp {}
    class Deep extends Unknown {}
    expect(again(new Deep('e'))).toBeInstanceOf(GaveUp);
    const back = again(new Deep('e'), plain);
    expect(Object.getPrototypeOf(back)).toBe(errors.TerminalError.prototype);
    expect(back).toMatchObject({ name: 'Deep', code: 'TERMINAL', orderId: 7 });
    expect(again(new (class extends TypeError {})('e'), plain)).toBeInstanceOf(TypeError);
  });

  test('of Node itself keeps its built-in class and its code', () => {
    let invalid: unknown;
    try {
      new URL('nowhere');
    } catch (error) {
      invalid = error;
    }
    expect(again(invalid, plain)).toBeInstanceOf(TypeError);
    expect(again(invalid, plain)).toMatchObject({ code: 'ERR_INVALID_URL' });
  });
});

describe('built-in classes', () => {
  test.each([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])('%o', (errorClass) => {
    const error = new errorClass('m', { cause: { a: undefined } });
    const back = again(error, plain);
    expect(back).toStrictEqual(error);
    expect(descriptors(back)).toStrictEqual(descriptors(error));
    expect(Object.getPrototypeOf(back)).toBe(errorClass.prototype);
  });

  test('an AggregateError keeps its errors', () => {
    const error = new AggregateError([new TypeError('a'), 'b', declined()], 'all of them');
    const back = again(error);
    expect(back).toBeInstanceOf(AggregateError);
    expect(descriptors(back)).toStrictEqual(descriptors(error));
    expect(back.errors[2]).toBeInstanceOf(PaymentDeclined);
  });

  test('errors that are a field are a field', () => {
    const error = Object.assign(new Error('many'), { errors: [1, 2], error: 3, suppressed: 4 });
    expect(descriptors(again(error))).toStrictEqual(descriptors(error));
  });

  test('a DOMException keeps its name and code', () => {
    const back = again(new DOMException('stopped', 'AbortError'), plain);
    expect(back).toBeInstanceOf(DOMException);
    expect(back).toMatchObject({ name: 'AbortError', message: 'stopped', code: 20 });
    expect(back.stack).toContain('json-codec-revive-error.test');
  });
});

describe('classes of Romancy', () => {
  const samples: readonly errors.RomancyError[] = [
    new errors.ConfigurationError('m', { option: 'retry', cause: new Error('c') }),
    new errors.InvalidArgumentError('m', { argument: 'id' }),
    new errors.NotRunningError('m'),
    new errors.InstanceConflictError({ instanceId: 'i' }),
    new errors.InstanceFinishedError({ instanceId: 'i', status: 'failed' }),
    new errors.WorkflowFailedError({ instanceId: 'i', cause: declined() }),
    new errors.WorkflowCancelledError({ instanceId: 'i', reason: null }),
    new errors.ActivityFailedError({ activityId: 'charge:1', attempts: 5, cause: declined() }),
    new errors.ActivityTimeoutError({ activityId: 'charge:1', timeoutMs: 10 }),
    new errors.TerminalError('m', { cause: 1n }),
    new errors.WaitTimeoutError({ waitedFor: 'payment.completed', timeoutMs: 10 }),
    new errors.ValidationError({ what: 'input', issues: [{ path: '$', message: 'm' }] }),
    new errors.PayloadNotSerializableError('m', { path: '$' }),
    new errors.LeaseLostError({ workerId: 'w' }),
  ];

  test.each(samples)('$name', (error) => {
    const back = again(error);
    expect(back).toStrictEqual(error);
    expect(descriptors(back)).toStrictEqual(descriptors(error));
    expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(error));
    expect(back).toBeInstanceOf(errors.RomancyError);
    expect(Symbol.for('@romancy/error') in back).toBe(true);
  });

  test('of another copy of the package are of this one after they were read, and instances of both', async () => {
    vi.resetModules();
    const other = await import('../domain/errors.js');
    expect(other.TerminalError).not.toBe(errors.TerminalError);
    class GaveUpThere extends other.TerminalError {}
    for (const error of [new other.TerminalError('e'), new GaveUpThere('e')]) {
      const back = again(error, plain);
      expect(Object.getPrototypeOf(back)).toBe(errors.TerminalError.prototype);
      expect(back).toBeInstanceOf(other.TerminalError);
      expect(back).toBeInstanceOf(other.RomancyError);
    }
    const registered = createJsonCodec({ errors: [GaveUpThere] });
    const back = registered.decode(registered.encode(new GaveUpThere('e')));
    expect(Object.getPrototypeOf(back)).toBe(GaveUpThere.prototype);
    expect(back).toBeInstanceOf(errors.TerminalError);
    expect(plain.decode(plain.encode(new other.WaitTimeoutError({ waitedFor: 'x', timeoutMs: 1 })))).toMatchObject({
      waitedFor: 'x',
    });
  });
});

describe('members of errors', () => {
  test('a name is own, inherited, or enumerable as it was', () => {
    class ByPrototype extends Error {}
    ByPrototype.prototype.name = 'FromPrototype';
    const codec = createJsonCodec({ errors: [ByPrototype] });
    const hidden = Object.defineProperty(new Error('e'), 'name', { value: 'Hidden', configurable: true, writable: true });
    const lateName = Object.assign(new Error('e'), { a: 1, name: 'Late', z: 2 });
    for (const error of [new ByPrototype('e'), hidden, lateName, new Error('')]) {
      const text = codec.encode(error);
      const back = codec.decode(text) as Error;
      expect(back.name).toBe(error.name);
      expect(Object.keys(back)).toEqual(Object.keys(error));
      expect(codec.encode(back)).toBe(text);
    }
  });

  test('an error without a stack has none afterwards', () => {
    const error = new Error('e');
    Object.defineProperty(error, 'stack', { value: undefined });
    expect(again(error).stack).toBeUndefined();
    delete (error as { stack?: string }).stack;
    expect(again(error).stack).toBeUndefined();
  });

  test('a cause may be anything, undefined too', () => {
    for (const cause of [undefined, null, 1n, 'text', { a: new Map() }, [new Error('deep', { cause: 2 })]]) {
      const back = again(new Error('e', { cause }));
      expect(Object.hasOwn(back, 'cause')).toBe(true);
      expect(Object.keys(back)).toEqual([]);
      expect(back.cause).toStrictEqual(cause);
    }
    expect(Object.hasOwn(again(new Error('e')), 'cause')).toBe(false);
  });

  test('odd text and odd keys survive', () => {
    const error = Object.assign(new Error('\ud800'), { $romancy: 'Date', 'k\0': '\0', constructor: 1, toString: 2 });
    Object.defineProperty(error, '__proto__', { value: { a: 1n }, enumerable: true });
    const back = again(error);
    expect(descriptors(back)).toEqual(descriptors(error));
    expect(Object.getPrototypeOf(back)).toBe(Error.prototype);
  });

  test('what cannot be written is left out and named, and the rest is there', () => {
    class Socket {}
    const request: Record<string, unknown> = { url: 'https://example.com' };
    request['response'] = { request };
    const error = Object.assign(new Error('reset', { cause: new Socket() }), {
      status: 500,
      send: () => {},
      request,
      nested: { list: [{ socket: new Socket() }] },
      when: new Date(0),
    });
    Object.defineProperty(error, 'body', {
      enumerable: true,
      get: () => {
        throw new Error('read already');
      },
    });
    const text = plain.encode({ error });
    expect(text).toContain('"omitted":["cause","send","request","nested","body"]');
    const back = (plain.decode(text) as { error: Error }).error;
    expect(Object.keys(back)).toEqual(['status', 'when']);
    expect(Object.hasOwn(back, 'cause')).toBe(false);
    expect(plain.encode({ error: back })).toBe(text);
    Object.assign(back, { request: 'known now' });
    expect(plain.encode(back)).toContain('"omitted":["cause","send","nested","body"]');
  });

  test('an error that cannot be written costs only itself where it is a cause', () => {
    const circle = new Error('circle');
    circle.cause = circle;
    expect(plain.decode(plain.encode(circle))).toMatchObject({ message: 'circle' });
    expect(plain.encode(circle)).toContain('"omitted":["cause"]');

    let chain = new Error('innermost');
    for (let depth = 0; depth < 3000; depth++) chain = new Error(`level ${depth}`, { cause: chain });
    let [length, at] = [0, plain.decode(plain.encode(chain)) as Error];
    for (; at.cause instanceof Error; at = at.cause) length++;
    expect(at.message).toBe(`level ${2999 - length}`);
    expect(length).toBeGreaterThan(900);
  });

  test('values around a failed member are not touched by it', () => {
    class Socket {}
    const shared = { a: [1n] };
    const first = Object.assign(new Error('first'), { shared, bad: { shared, socket: new Socket() }, after: { shared } });
    const back = plain.decode(plain.encode([first, { shared }])) as [Error, unknown];
    expect(back[0]).toMatchObject({ shared, after: { shared } });
    expect(back[0]).not.toHaveProperty('bad');
    expect(back[1]).toStrictEqual({ shared });
    expect(() => plain.encode([first, { socket: new Socket() }])).toThrow(errors.PayloadNotSerializableError);
  });
});

test('the text of an error is made for readers', () => {
  const error = Object.assign(new PaymentDeclined('no money', { code: 'FUNDS', cause: new Error('inner') }), { details: 1 });
  for (const item of [error, error.cause as Error]) item.stack = 'at pay';
  expect(JSON.parse(plain.encode(error))).toEqual({
    $romancy: 'Error',
    class: 'PaymentDeclined',
    name: 'PaymentDeclined',
    message: 'no money',
    stack: 'at pay',
    cause: { $romancy: 'Error', name: 'Error', message: 'inner', stack: 'at pay' },
    fields: { name: 'PaymentDeclined', code: 'FUNDS', details: 1 },
  });
});

test('values that are thrown without being errors pass as what they are', () => {
  for (const thrown of ['text', 1, null, undefined, { code: 1 }]) expect(again(thrown)).toStrictEqual(thrown);
});
