// Waits for something no longer than it was told.

const overtime = Symbol('overtime');

/**
 * What the work gives, or what `late` makes when that takes longer. The work goes on then; how it ends is nobody's business any more.
 * @param ms null: no limit.
 */
export async function withinTime<T>(work: Promise<T>, ms: number | null, late: () => T | Promise<T>): Promise<T> {
  if (ms === null) return await work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<typeof overtime>((resolve) => {
    timer = setTimeout(() => resolve(overtime), ms);
  });
  try {
    const first = await Promise.race([work, limit]);
    return first === overtime ? await late() : first;
  } finally {
    clearTimeout(timer);
  }
}
