// Rounds of two sides in turns, so that what else the machine does meets both.

/**
 * Runs both sides `rounds` times. Who goes first changes from round to round (A B, B A, A B, …): a disk that gets slower, a table that
 * gets larger or a cache that gets warmer then favours nobody.
 */
export async function alternate<T>(
  rounds: number,
  sides: { readonly romancy: () => Promise<T>; readonly raw: () => Promise<T> },
): Promise<readonly { readonly romancy: T; readonly raw: T }[]> {
  const pairs: { readonly romancy: T; readonly raw: T }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const romancy = await sides.romancy();
      pairs.push({ romancy, raw: await sides.raw() });
    } else {
      const raw = await sides.raw();
      pairs.push({ romancy: await sides.romancy(), raw });
    }
  }
  return pairs;
}
