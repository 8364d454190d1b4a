// The Retry-After header of an answer.

/** The longest pause that is believed: a day. */
const longestMs = 86_400_000;

/** Milliseconds from `now`; undefined when the header says nothing that can be read. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestMs);
}
