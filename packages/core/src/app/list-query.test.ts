// What `list` takes: filters, paths and cursors, checked before anybody asks the database.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../domain/errors.js';
import { cursorAfter, toListRequest, type ListOptions } from './list-query.js';

/** The argument that is named by the refusal. */
function refused(options: ListOptions): string {
  try {
    toListRequest(options);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error.argument;
    throw error;
  }
  throw new Error(`was taken: ${JSON.stringify(options)}`);
}

const pathOf = (path: string) => toListRequest({ input: { [path]: 1 } }).input[0]!.path;

describe('a list request', () => {
  it('asks for fifty of everything when nothing is said', () => {
    expect(toListRequest({})).toEqual({
      status: undefined,
      workflowName: undefined,
      instanceId: undefined,
      startedAfter: undefined,
      startedBefore: undefined,
      input: [],
      limit: 50,
      after: undefined,
    });
  });

  it('holds all that was said', () => {
    const options: ListOptions = {
      status: 'running',
      workflowName: 'order',
      instanceId: 'x',
      startedAfter: new Date(5),
      startedBefore: new Date(9),
      input: { a: 1, 'b.c': null },
      limit: 1000,
    };
    expect(toListRequest(options)).toMatchObject({
      status: ['running'],
      startedAfter: 5,
      startedBefore: 9,
      input: [
        { path: ['a'], equals: 1 },
        { path: ['b', 'c'], equals: null },
      ],
      limit: 1000,
    });
    expect(toListRequest({ status: ['failed', 'stalled'] }).status).toEqual(['failed', 'stalled']);
  });

  it.each([
    ['customer.id', ['customer', 'id']],
    ['items[0].sku', ['items', 0, 'sku']],
    ['[2][3]', [2, 3]],
    ['$', []],
    ['', []],
    ['$.a', ['a']],
    ['$[0]', [0]],
    ['a-b_c', ['a-b_c']],
    ['["odd name"]', ['odd name']],
    ['a["x.y"][1].z', ['a', 'x.y', 1, 'z']],
    [String.raw`a["quote \" and é"]`, ['a', 'quote " and é']],
    ['0', ['0']],
  ])('reads the path %j', (path, expected) => {
    expect(pathOf(path)).toEqual(expected);
  });

  it.each([
    'a..b',
    'a.',
    '.a',
    'a[',
    'a]',
    'a[x]',
    'a[-1]',
    'a[1.5]',
    '["a',
    '["a"',
    "['a']",
    String.raw`["\q"]`,
    'a b',
    'a[0',
    '$$',
    'a.[0]',
    '["\n"]',
  ])('refuses the path %j', (path) => {
    expect(refused({ input: { [path]: 1 } })).toBe('input');
  });

  it('reads every name in quotes, and comes to an end with whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(pathOf(`[${JSON.stringify(name)}]`)).toEqual([name]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a.[]"\\0$ -') }), (path) => {
        try {
          pathOf(path);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
        }
      }),
    );
  });

  it('reads its own cursors, and no others', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 0, max: 8.64e15 }), fc.string({ minLength: 1 }), (createdAt, instanceId) => {
        const { after } = toListRequest({ cursor: cursorAfter({ createdAt, instanceId }) });
        expect(after).toEqual({ createdAt: createdAt + 0, instanceId });
      }),
    );
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const foreign = [
      [-1, 'a'],
      [8.7e15, 'a'],
      [1e300, 'a'],
      [1, ''],
      [1, 'a\0b'],
      [1, '\ud800'],
      [1, 'x'.repeat(256)],
    ];
    for (const value of [null, 1, 'a', {}, [], [1], ['1', 'a'], [1, 2], [1, 'a', 2], [null, 'a'], ...foreign]) {
      expect(refused({ cursor: encoded(value) })).toBe('cursor');
    }
    for (const cursor of ['', '%', 'ää', 1 as never, null as never]) expect(refused({ cursor })).toBe('cursor');
  });

  it('refuses other values than it can compare', () => {
    for (const value of [undefined, Number.NaN, Infinity, {}, [], 1n, new Date()]) {
      expect(refused({ input: { a: value as never } })).toBe('input["a"]');
    }
    expect(refused({ limit: 0 })).toBe('limit');
    expect(refused({ limit: 1001 })).toBe('limit');
    expect(refused({ limit: '5' as never })).toBe('limit');
    expect(refused({ status: 'done' as never })).toBe('status');
    expect(refused({ status: ['running', 'done'] as never })).toBe('status');
    expect(refused({ startedAfter: new Date('nonsense') })).toBe('startedAfter');
    expect(refused({ startedBefore: 'today' as never })).toBe('startedBefore');
    expect(refused({ startedAfter: null as never })).toBe('startedAfter');
    for (const input of [null, 'customer.id', [], 7]) expect(refused({ input: input as never })).toBe('input');
    for (const text of [7, null, {}, 'a\0b', '\ud800']) {
      expect(refused({ workflowName: text as never })).toBe('workflowName');
      expect(refused({ instanceId: text as never })).toBe('instanceId');
    }
    for (const nothing of [null, 'running', 7]) expect(refused(nothing as never)).toBe('options');
  });

  it('asks for no moment and no place that a database cannot know', () => {
    const [first, last] = [new Date(-8.64e15), new Date(8.64e15)];
    expect(toListRequest({ startedAfter: first, startedBefore: last })).toMatchObject({
      startedAfter: 0,
      startedBefore: 8.64e15,
    });
    expect(pathOf('a[2147483647]')).toEqual(['a', 2147483647]);
    for (const path of ['a[2147483648]', 'a[99999999999999999999]', '["\\u0000"]', '["\\ud800"]']) {
      expect(refused({ input: { [path]: 1 } })).toBe('input');
    }
  });
});
