// What the codec refuses: where it is and what to do is in the message.
import { describe, expect, test } from 'vitest';
import { PayloadNotSerializableError } from '../domain/errors.js';
import { createJsonCodec } from './json-codec.js';

const codec = createJsonCodec();

function refusal(value: unknown): PayloadNotSerializableError {
  try {
    codec.encode(value);
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadNotSerializableError);
    return error as PayloadNotSerializableError;
  }
  throw new Error('it was not refused');
}

class Order {
  readonly id = 1;
}
class Money {
  readonly cents = 100;
  toJSON(): number {
    return this.cents;
  }
}
class Tags extends Set<string> {}
class Rows extends Array<number> {}
class Bytes extends Uint8Array {}
class Moment extends Date {}

describe('what cannot be restored is refused with what to do instead', () => {
  test.each<[string, unknown, RegExp]>([
    ['a function', () => 1, /is a function;.*leave it out/],
    ['a class', Order, /is a function/],
    ['a symbol', Symbol('s'), /is a symbol.*pass a string/],
    ['a promise', Promise.resolve(1), /is a promise; await it/],
    ['a WeakMap', new WeakMap(), /is a WeakMap, whose content cannot be listed/],
    ['a WeakRef', new WeakRef({}), /is a WeakRef/],
    ['a boxed string', Object('s'), /is a boxed string; pass the string itself/],
    ['a boxed bigint', Object(1n), /is a boxed bigint/],
    ['an instance', new Order(), /is an instance of Order, whose class would be lost; pass a plain object/],
    ['an instance with toJSON', new Money(), /is an instance of Money; its toJSON\(\) would lose the class/],
    ['a subclass of Set', new Tags(), /is an instance of Tags/],
    ['a subclass of Array', new Rows(), /is an instance of Rows.*plain array/],
    ['a subclass of Uint8Array', new Bytes(1), /is an instance of Bytes/],
    ['a subclass of Date', new Moment(), /is an instance of Moment/],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1), /is an instance of SharedArrayBuffer/],
    ['an instance without a class name', new (class {})(), /a class without a name/],
    ['an object that inherits members', Object.create({ a: 1 }), /an object with a prototype of its own/],
    ['something that only looks like a Map', Object.create(Map.prototype), /is an instance of Map/],
    [
      'something that calls itself a Map',
      new (class Fake {
        get [Symbol.toStringTag](): string {
          return 'Map';
        }
      })(),
      /is an instance of Fake/,
    ],
    ['URLSearchParams', new URLSearchParams('a=b'), /is an instance of URLSearchParams/],
    ['an iterator', [1][Symbol.iterator](), /an instance of|a prototype of its own/],
    ['a symbol as a key', { [Symbol('k')]: 1 }, /has the symbol Symbol\(k\) as a key/],
    ['a revoked proxy', revoked(), /cannot be read: .*revoked/],
  ])('%s', (_name, value, message) => {
    const error = refusal({ items: [0, { 'the price': value }] });
    expect(error.path).toBe('$.items[1]["the price"]');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(error.path);
    expect(refusal(value).path).toBe('$');
  });

  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
});

test('a symbol as the key of a non-enumerable member disturbs nothing', () => {
  const value = Object.defineProperty({ a: 1 }, Symbol('hidden'), { value: 1 });
  expect(codec.encode(value)).toBe('{"a":1}');
});

test('the path leads through maps and sets', () => {
  const wrong = Symbol('s');
  expect(refusal({ a: new Map([['eur', [wrong]]]) }).path).toBe('$.a.get("eur")[0]');
  expect(refusal(new Map([[1, { b: wrong }]])).path).toBe('$.entries()[0][1].b');
  expect(refusal(new Map([[{ k: wrong }, 1]])).path).toBe('$.entries()[0][0].k');
  expect(refusal(new Set([1, wrong])).path).toBe('$.values()[1]');
});

test('a cycle is refused, and the message says where it closes', () => {
  const order: { id: number; lines: unknown[] } = { id: 1, lines: [] };
  order.lines.push({ order });
  expect(refusal({ order })).toMatchObject({
    path: '$.order.lines[0].order',
    message: expect.stringContaining('refers back to $.order;') as string,
  });
  const map = new Map<string, unknown>();
  map.set('self', map);
  expect(refusal(map).path).toBe('$.get("self")');
  const list: unknown[] = [];
  list.push(list);
  expect(refusal(list)).toMatchObject({ path: '$[0]', message: expect.stringContaining('refers back to $;') as string });
});

test('a getter that throws is found at its place', () => {
  const value = {
    a: [
      {
        get b(): number {
          throw new Error('no connection');
        },
      },
    ],
  };
  expect(refusal(value)).toMatchObject({ path: '$.a[0].b', message: '$.a[0].b cannot be read: no connection' });
});

test('what can be written does not depend on how much of the stack is in use', () => {
  let value: unknown = new Date(0);
  for (let level = 0; level < 990; level++) value = { a: value };
  const text = codec.encode(value);
  const deep = (calls: number): string => (calls === 0 ? codec.encode(codec.decode(text)) : deep(calls - 1));
  expect(deep(3000)).toBe(text);
});
