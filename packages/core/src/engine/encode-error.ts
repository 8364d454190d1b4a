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
    const { name, message, stack } = error instanceof Error ? (error as Partial<Record<keyof Error, unknown>>) : {};
    const shown = new Error(`${beginning(message) ?? 'an error'} (${(refusal as Error).message})`);
    shown.name = beginning(name) ?? shown.name;
    shown.stack = beginning(stack) ?? '';
    // Without the limit: somewhere it must be told.
    return limits.codec.encode(around(shown));
  }
}

function beginning(text: unknown): string | undefined {
  return typeof text === 'string' && text !== '' ? text.slice(0, mostCharacters) : undefined;
}

const mostCharacters = 2000;
