// The last so many measured times, and which of them half, or nearly all, do not exceed.

const mostKept = 1000;

export class Latencies {
  readonly #kept: number[] = [];
  #next = 0;

  /** In milliseconds. */
  add(ms: number): void {
    this.#kept[this.#next] = ms;
    this.#next = (this.#next + 1) % mostKept;
  }

  /** @param share 0.5 for the median. Null: nothing was measured. */
  percentile(share: number): number | null {
    if (this.#kept.length === 0) return null;
    const sorted = [...this.#kept].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  }
}
