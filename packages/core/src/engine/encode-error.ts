// Writes down errors, whatever they are: one that cannot be written must not hide that there was one.
import { encodePayload, type PayloadLimits } from './payload.js';

/** The JSON text of an error, or of one that stands in for it and says why. */
export function encodeError(error: unknown, what: string, limits: PayloadLimits): string {
  return encodeWithError(error, (shown) => shown, { what, limits });
}

/** The JSON text of a value that holds an error. */
export function encodeWithError(
  error: unknown,
  around: (error: unknown) => unknown,
  { what, limits }: { readonly what: string; readonly limits: PayloadLimits },
): string {
  try {
    return encodePayload(around(error), what, limits);
  } catch (refusal) {
    const message = error instanceof Error ? error.message.slice(0, 2000) : 'an error';
    const shown = new Error(`${message} (${(refusal as Error).message})`);
    if (error instanceof Error) shown.name = error.name;
    return encodePayload(around(shown), what, limits);
  }
}
