// What a thrown value says.

/** Anything can be thrown, also what String() throws at. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { message } = thrown as { readonly message?: unknown };
  return typeof message === 'string' ? message : Object.prototype.toString.call(thrown);
}
