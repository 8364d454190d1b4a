// Remembers of an error that was read what the error itself cannot show, so that writing it again loses nothing.

/** What the text said of an error besides its members. */
export interface ErrorOrigin {
  /** Names of its classes, also of those that are not registered here but may be where it is read next. */
  readonly classes: readonly string[];
  /** Members that could not be written. */
  readonly omitted: readonly string[];
}

const origins = new WeakMap<object, ErrorOrigin>();

export function rememberOrigin(error: object, origin: ErrorOrigin): void {
  origins.set(error, origin);
}

export function originOf(error: object): ErrorOrigin | undefined {
  return origins.get(error);
}
