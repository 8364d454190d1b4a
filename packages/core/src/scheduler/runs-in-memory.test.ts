import { describe, expect, it } from 'vitest';
import type { Run } from '../engine/run.js';
import type { LanePlace } from './commit-lanes.js';
import { RunsInMemory } from './runs-in-memory.js';

const runOf = (instanceId: string): Run => ({ instanceId }) as Run;
const place = (): LanePlace => ({ leave: () => undefined }) as unknown as LanePlace;

describe('RunsInMemory', () => {
  it('gives back the place of who leaves, and knows him no more', () => {
    const runs = new RunsInMemory();
    const [run, its] = [runOf('a'), place()];
    runs.add(run, its);
    expect([runs.size, runs.has('a'), runs.get('a')]).toEqual([1, true, run]);
    expect(runs.remove('a')).toBe(its);
    expect([runs.size, runs.has('a'), runs.get('a')]).toEqual([0, false, undefined]);
  });

  it('goes through those that are there when it begins, and leaves out who has left meanwhile', () => {
    const runs = new RunsInMemory();
    for (const id of ['a', 'b', 'c']) runs.add(runOf(id), place());
    const seen: string[] = [];
    for (const { instanceId } of runs) {
      seen.push(instanceId);
      if (instanceId === 'a') runs.remove('b');
      runs.add(runOf(`next to ${instanceId}`), place());
    }
    expect(seen).toEqual(['a', 'c']);
  });
});
