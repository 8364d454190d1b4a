// Finds options that nobody reads: a misspelt one would be ignored without a word.
import { ConfigurationError } from './errors.js';

/** The names of all options of a type. One that is added to the type and not here is an error of the compiler, not of a user. */
export function namesOf<Options>(names: { readonly [Name in keyof Required<Options>]: true }): ReadonlySet<string> {
  return new Set(Object.keys(names));
}

/**
 * @param what names the object in the error; empty: its options stand for themselves.
 * @throws ConfigurationError when it is no object, or has a member that is not one of `names`; one that is undefined is none.
 */
export function checkKnownOptions(options: object, names: ReadonlySet<string>, what: string): void {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigurationError(
      `${what === '' ? 'what was given' : what} is ${given === null ? 'null' : Array.isArray(given) ? 'a list' : typeof given}; ` +
        `it takes an object with some of ${[...names].join(', ')}`,
      { option: what },
    );
  }
  for (const [name, value] of Object.entries(given)) {
    if (names.has(name) || value === undefined) continue;
    const option = what === '' ? name : `${what}.${name}`;
    throw new ConfigurationError(`${option} is no option; there are ${[...names].join(', ')}`, { option });
  }
}
