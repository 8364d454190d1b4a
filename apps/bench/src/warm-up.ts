// Lets the code of a side be compiled before it is measured.
import { closedLoop } from './workload.js';

/**
 * In a fresh process the first thousands of workflows are slower by a third than all that follow, since the code is interpreted at first. What is
 * asked for are the thousands of every second that a worker lives.
 */
const enough = 3000;
const perTurn = 100;

/**
 * Runs it so often that it is as fast as it gets.
 * @param mostMs then it is enough at any rate, in milliseconds.
 */
export async function warmUp(
  one: () => Promise<unknown>,
  { concurrency, mostMs }: { readonly concurrency: number; readonly mostMs: number },
): Promise<void> {
  const latest = performance.now() + mostMs;
  for (let run = 0; run < enough && performance.now() < latest; run += perTurn) {
    await closedLoop({ count: perTurn, concurrency }, async () => void (await one()));
    // Code by hand on SQLite lets nothing else have its turn, and the other side has a lease to renew.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
