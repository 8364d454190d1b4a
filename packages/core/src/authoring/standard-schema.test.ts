// Schemas of any library: what they give back, and how their issues read.
import { describe, expect, expectTypeOf, test } from 'vitest';
import { ValidationError } from '../domain/errors.js';
import { validate, type InferInput, type InferOutput, type StandardIssue, type StandardSchema } from './standard-schema.js';

function refusing(...issues: StandardIssue[]): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } };
}

const numberFromText: StandardSchema<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => (typeof value === 'string' ? { value: Number(value) } : { issues: [{ message: 'not a text' }] }),
  },
};

async function pathOf(path: StandardIssue['path']): Promise<string | undefined> {
  const error: unknown = await validate(refusing({ message: 'wrong', path }), {}, 'input').catch((reason: unknown) => reason);
  return (error as ValidationError).issues[0]?.path;
}

describe('validate', () => {
  test('gives what the schema makes of the value, at once or later', async () => {
    expect(await validate(numberFromText, '42', 'input')).toBe(42);
    const same: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
    expect(await validate(same, undefined, 'input')).toBeUndefined();
  });

  test('takes a schema that is a function, and one that carries options of later versions', async () => {
    const schema = Object.assign(() => undefined, {
      '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown, _options?: object) => ({ value }) },
    });
    expect(await validate(schema, 1, 'input')).toBe(1);
  });

  test('names every place that is wrong', async () => {
    const schema = refusing({ message: 'is missing', path: ['items', 3, 'price'] }, { message: 'has the wrong shape' });
    const refusal = validate(schema, {}, 'input of workflow order');
    await expect(refusal).rejects.toBeInstanceOf(ValidationError);
    await expect(refusal).rejects.toMatchObject({
      code: 'VALIDATION',
      message: 'input of workflow order is not valid: items[3].price: is missing; $: has the wrong shape',
      issues: [
        { path: 'items[3].price', message: 'is missing' },
        { path: '$', message: 'has the wrong shape' },
      ],
    });
  });

  test.each<[StandardIssue['path'], string]>([
    [undefined, '$'],
    [[], '$'],
    [['a'], 'a'],
    [[0, 'a'], '[0].a'],
    [['a', '0'], 'a[0]'],
    [['a', '007'], 'a["007"]'],
    [['first name', 'é', '$x'], '["first name"].é.$x'],
    [[''], '[""]'],
    [[Symbol('s')], '[Symbol(s)]'],
    [[{ key: 'items' }, { key: 1 }, { key: Symbol('s') }], 'items[1][Symbol(s)]'],
  ])('writes the path %j as %s', async (path, written) => {
    expect(await pathOf(path)).toBe(written);
  });

  test('a refusal without issues is one all the same', async () => {
    await expect(validate(refusing(), {}, 'input')).rejects.toMatchObject({
      issues: [{ path: '$', message: 'refused without a reason' }],
    });
  });

  test('what a schema throws comes through', async () => {
    const broken: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw new TypeError('broken schema');
        },
      },
    };
    await expect(validate(broken, {}, 'input')).rejects.toThrow(TypeError);
  });
});

test('input and output types are read off a schema', () => {
  expectTypeOf<InferInput<typeof numberFromText>>().toEqualTypeOf<string>();
  expectTypeOf<InferOutput<typeof numberFromText>>().toEqualTypeOf<number>();
  expectTypeOf<InferOutput<StandardSchema<{ a: 1 }>>>().toEqualTypeOf<{ a: 1 }>();
  expectTypeOf(validate(numberFromText, '', '')).resolves.toEqualTypeOf<number>();
});
