// Remembers what has to be undone when the running test, or else the test file, is over.
import { onTestFinished } from 'vitest';

type Undo = () => Promise<void> | void;

const whenFileEnds: Undo[] = [];

/**
 * Runs `undo` when the current test ends, also when it failed. Outside of a test (`beforeAll`, the top of a file) it runs after the
 * file's last test, in reverse order.
 */
export function afterwards(undo: Undo): void {
  try {
    onTestFinished(async () => {
      await undo();
    });
  } catch {
    whenFileEnds.push(undo);
  }
}

/** Called after the last test of a file. Goes through all of it before it reports what failed. */
export async function undoAll(): Promise<void> {
  const problems: unknown[] = [];
  for (let undo = whenFileEnds.pop(); undo !== undefined; undo = whenFileEnds.pop()) {
    try {
      await undo();
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) throw new AggregateError(problems, 'Could not clean up after the tests of this file');
}
