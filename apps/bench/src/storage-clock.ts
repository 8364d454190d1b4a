// The clock by which a storage decides what is due, read in this process in fractions of a millisecond.
import { connected } from './wakeups/connected.js';

const questions = 20;

/**
 * Milliseconds since 1970 by the clock of the server, or by that of this machine where there is none. Good for about a minute: clocks are
 * set and drift, and the monotonic one, by which it goes on from here, does not follow.
 */
export async function storageClock(server: { readonly url: string } | null): Promise<() => number> {
  const ahead = server === null ? aheadOfMonotonic() : await aheadOnServer(server.url);
  return () => performance.now() + ahead;
}

/** The answer that came soonest: half of its way at most is what this is wrong by. */
async function aheadOnServer(url: string): Promise<number> {
  return await connected(url, async (client) => {
    let best = { tookMs: Number.POSITIVE_INFINITY, ahead: Number.NaN };
    for (let count = 0; count < questions; count++) {
      const sentAt = performance.now();
      const { rows } = await client.query<{ readonly now: number }>(
        'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now',
      );
      const tookMs = performance.now() - sentAt;
      if (tookMs < best.tookMs) best = { tookMs, ahead: rows[0]!.now - (sentAt + tookMs / 2) };
    }
    return best.ahead;
  });
}

/** The wall clock tells whole milliseconds: right in the moment in which it moves on. */
function aheadOfMonotonic(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - performance.now();
}
