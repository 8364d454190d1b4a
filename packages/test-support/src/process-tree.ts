// Looks which processes a process has started.
import { readdirSync, readFileSync } from 'node:fs';

/** The process ids of those that `parent` has started and that still run. On Linux only. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    // The name, the second word, may hold spaces and brackets; state and parent come after its last one.
    const words = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')
      .at(-1)
      ?.split(' ');
    return Number(words?.[1]);
  } catch {
    return undefined; // ended while we looked
  }
}
