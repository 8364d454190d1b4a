// Statements made of pieces: text with its parameters, numbered when the whole is sent.
import type { ArrayParameter } from './array-parameter.js';

/** What may be passed as a parameter. Lists become arrays of the database; their type is said by a cast in the text, or by what they are given to. */
export type SqlValue = string | number | boolean | null | ArrayParameter | readonly (string | number | boolean | null)[];

/** What is sent: a text with `$1`, `$2`, … in it, and their values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** A piece of a statement. Between two texts stands one parameter. */
export class Sql implements Statement {
  readonly texts: readonly string[];
  readonly values: readonly SqlValue[];

  constructor(texts: readonly string[], values: readonly SqlValue[]) {
    this.texts = texts;
    this.values = values;
  }

  /** The text with `$1`, `$2`, … in it. */
  get text(): string {
    return this.texts.reduce((text, next, index) => `${text}$${index}${next}`);
  }
}

/** A template in which pieces stand for themselves and everything else becomes a parameter. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | SqlValue)[]): Sql {
  const texts = [strings[0]!];
  const values: SqlValue[] = [];
  for (const [index, part] of parts.entries()) {
    const following = strings[index + 1]!;
    if (part instanceof Sql) {
      texts[texts.length - 1] += part.texts[0]!;
      texts.push(...part.texts.slice(1));
      values.push(...part.values);
      texts[texts.length - 1] += following;
    } else {
      values.push(part);
      texts.push(following);
    }
  }
  return new Sql(texts, values);
}

/** Text that is sent as it is. Never with anything of a user in it that was not quoted. */
export function raw(text: string): Sql {
  return new Sql([text], []);
}

/** A name of the database, quoted. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Pieces one after the other. */
export function joined(pieces: readonly Sql[], separator: string): Sql {
  return pieces.reduce((whole, piece, index) => (index === 0 ? piece : sql`${whole}${raw(separator)}${piece}`), raw(''));
}
