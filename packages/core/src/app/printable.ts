// Lets people see in a log what is decoded only when it is looked at.

/** Known to `util.inspect`, and so to `console.log`, of Node, Bun and Deno. */
const inspected = Symbol.for('nodejs.util.inspect.custom');

/** The view, frozen. Printed, it shows what its getters give, and not that there are some. */
export function printable<TView extends object>(view: TView): TView {
  const print = (): object => Object.fromEntries(Object.keys(view).map((key) => [key, valueOf(view, key as keyof TView)]));
  return Object.freeze(Object.defineProperty(view, inspected, { value: print, enumerable: false }));
}

/** What cannot be decoded must not keep the rest from being seen. */
function valueOf<TView extends object>(view: TView, key: keyof TView): unknown {
  try {
    return view[key];
  } catch (error) {
    return error;
  }
}
