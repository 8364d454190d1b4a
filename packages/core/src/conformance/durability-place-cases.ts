// Two apps on one server: neither sees the other.
import { expect, it } from 'vitest';
import type { DurabilitySuite } from './durability-bench.js';

export function placeCases({ bench: newBench }: DurabilitySuite): void {
  it('keeps apps in two places apart: the same ids, each with its own end', async () => {
    const bench = await newBench();
    const { place, elsewhere } = bench.fixture;
    const workflows = ['three'];
    const [here, there] = await Promise.all([bench.worker({ place, workflows }), bench.worker({ place: elsewhere, workflows })]);
    const both = { instanceId: 'both', workflow: 'three', input: { stuckAt: 0 } };
    const stuck = { instanceId: 'stuck-here', workflow: 'three', input: { stuckAt: 2 } };
    await here.start([stuck]);
    expect(await there.drive(both)).toEqual({ result: [1, 2, 3] });
    expect(await here.drive(both)).toEqual({ result: [1, 2, 3] });
    const notes = await bench.notes();
    expect(notes.filter(({ instanceId }) => instanceId === 'both')).toHaveLength(6);
    expect(new Set(notes.filter(({ instanceId }) => instanceId === 'stuck-here').map(({ pid }) => pid))).toEqual(
      new Set([here.pid]),
    );
    const [ownIds, otherIds] = await Promise.all([idsIn(place), idsIn(elsewhere)]);
    expect([ownIds, otherIds]).toEqual([['both', 'stuck-here'], ['both']]);

    // Whoever dies here is not found dead there.
    await here.kill();
    expect(await there.drive({ ...both, instanceId: 'only-there' })).toEqual({ result: [1, 2, 3] });
    expect(await bench.get('stuck-here')).toMatchObject({ owner: here.workerId, status: 'running' });
    await there.stop();
    expect(there.logs({ levels: ['warn', 'error'] })).toEqual([]);

    async function idsIn(which: string): Promise<string[]> {
      const { instances } = await bench.storage(which);
      const known = await Promise.all(['both', 'stuck-here'].map((id) => instances.get(id)));
      return known.flatMap((instance) => (instance === undefined ? [] : [instance.instanceId]));
    }
  });
}
