// A list that is a parameter: in the format of the database where this library writes the driver's messages, as text everywhere else.
import { arrayBytes, type Column } from './array-bytes.js';
import { arrayLiteral } from './array-literal.js';

/** Reads its rows when it is sent. */
export class ArrayParameter {
  readonly #bytes: () => Buffer;
  readonly #literal: () => string;

  constructor(bytes: () => Buffer, literal: () => string) {
    this.#bytes = bytes;
    this.#literal = literal;
  }

  static of<T>(rows: readonly T[], column: Column<T>): ArrayParameter {
    return new ArrayParameter(
      () => arrayBytes(rows, column),
      () => arrayLiteral(rows, column[1]),
    );
  }

  /** The driver says of a Buffer that it is in the format of the database. */
  toBytes(): Buffer {
    return this.#bytes();
  }

  /** For every other way: not all that passes for the driver can send anything but text, nor asks an object what it is to be sent as. */
  toText(): string {
    return this.#literal();
  }
}
