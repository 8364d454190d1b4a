// What Romancy uses of the Standard Schema interface, version 1 (https://standardschema.dev), and how a value is held against one.
import { ConfigurationError, ValidationError } from '../domain/errors.js';

/**
 * A schema of any library that follows the specification: zod, valibot, arktype and others fit by shape.
 * `TInput` is what the schema takes, `TOutput` what it makes of it.
 */
export interface StandardSchema<TInput = unknown, TOutput = TInput> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<TOutput> | Promise<StandardResult<TOutput>>;
    /** Carries the types; there is nothing to read at run time. */
    readonly types?: { readonly input: TInput; readonly output: TOutput } | undefined;
  };
}

/** A result without `issues` is a success, whatever else it holds. */
export type StandardResult<TOutput> =
  { readonly value: TOutput; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  /** From the root; no path or an empty one: the root itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema takes. */
export type InferInput<TSchema extends StandardSchema> = NonNullable<TSchema['~standard']['types']>['input'];

/** What a schema makes of it. */
export type InferOutput<TSchema extends StandardSchema> = NonNullable<TSchema['~standard']['types']>['output'];

/** @throws ConfigurationError when something is given that is no schema. Some libraries make theirs functions. */
export function checkSchema(schema: unknown, option: string): void {
  if (schema === undefined) return;
  const standard: unknown = schema === null ? undefined : (schema as { readonly '~standard'?: unknown })['~standard'];
  if (typeof (standard as { readonly validate?: unknown } | null | undefined)?.validate === 'function') return;
  throw new ConfigurationError(
    `${option} is no schema; it takes one that follows Standard Schema, as zod, valibot and arktype make`,
    {
      option,
    },
  );
}

/**
 * The value as the schema gives it back: with its defaults filled in and its transformations made.
 * @param what names the value in the error, such as `input of workflow order_processing`.
 * @throws ValidationError with the path of every issue. What the schema itself throws comes through as it is.
 */
export async function validate<TOutput>(
  schema: StandardSchema<unknown, TOutput>,
  value: unknown,
  what: string,
): Promise<TOutput> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map((issue) => ({ path: issuePath(issue.path ?? []), message: issue.message }));
  throw new ValidationError({ what, issues: issues.length > 0 ? issues : [{ path: '$', message: 'refused without a reason' }] });
}

/** `items[3].price`; `$` for the root. */
function issuePath(steps: NonNullable<StandardIssue['path']>): string {
  let path = '';
  for (const step of steps) {
    const key = typeof step === 'object' ? step.key : step;
    if (typeof key === 'number') path += `[${key}]`;
    else if (typeof key === 'symbol') path += `[${String(key)}]`;
    else if (identifier.test(key)) path += path === '' ? key : `.${key}`;
    else path += wholeNumber.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`;
  }
  return path === '' ? '$' : path;
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
/** Some libraries give the index of an array as text. */
const wholeNumber = /^(?:0|[1-9]\d*)$/;
