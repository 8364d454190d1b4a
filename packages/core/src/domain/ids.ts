// Names and ids: what is allowed in them, and how the ids of durable calls are made.
import { InvalidArgumentError } from './errors.js';

/** The longest instance id, workflow, activity or event name, in UTF-16 units; short enough for an index of any database. */
export const longestName = 255;

/** The id of the `count`th call of that name in a run: `charge:1`. */
export function numberedCallId(name: string, count: number): string {
  return `${name}:${count}`;
}

/**
 * A UUID of version 7 (RFC 9562, section 5.7): the time in milliseconds, then what is random of a UUID of version 4. Ids of instances that
 * start one after the other then stand side by side in every index, and a start touches the same few pages again, however large the table.
 * @param now milliseconds since 1970.
 */
export function timeOrderedUuid(now: number, random: string): string {
  const time = Math.max(0, Math.floor(now));
  if (time !== latestTime) {
    const text = time.toString(16).padStart(12, '0').slice(-12);
    latestTime = time;
    latestPrefix = `${text.slice(0, 8)}-${text.slice(8)}-7`;
  }
  return latestPrefix + random.slice(15);
}

/** What was written of the latest time: dozens of instances are started in one millisecond. */
let latestTime = -1;
let latestPrefix = '';

/**
 * Refuses what no database can hold or no log can show.
 * @throws InvalidArgumentError when empty, longer than {@link longestName}, or with control characters or lone surrogates.
 */
export function checkName(value: unknown, what: string): asserts value is string {
  if (!isName(value)) {
    const shown = typeof value === 'string' ? JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value) : typeof value;
    throw new InvalidArgumentError(
      `${what} is ${shown}; it takes 1 to ${longestName} characters, none of them a control character`,
      {
        argument: what,
      },
    );
  }
}

/** Whether {@link checkName} takes it. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longestName && isPlainText(value);
}

/** Control characters, and halves of characters. */
const unfit = /[\p{Cc}\p{Cs}]/u;

function isPlainText(text: string): boolean {
  return !unfit.test(text);
}
