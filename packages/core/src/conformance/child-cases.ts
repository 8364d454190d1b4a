// Cases: children that a workflow starts, how their ends reach it, and what an end brings to others.
import { describe, expect, it } from 'vitest';
import { childTopic, type NewInstance, type Settlement } from '../ports/index.js';
import { mailOf, newMessage } from './message-stage.js';
import type { Bench } from './storage-harness.js';
import { cancelled, complete, newEntry, newInstance, ofClaim, park } from './test-worker.js';

export function childCases(bench: Bench): void {
  describe('children', () => {
    it('know who started them', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('parent');
      const child = newChild('child', { owned: false });
      await worker.commit({ starts: [child], entries: [newEntry('parent', 1, { kind: 'child_started', data: '"child"' })] });
      expect(await harness.get('child')).toMatchObject({ parentId: 'parent', status: 'pending' });
      expect((await harness.get('parent')).parentId).toBeNull();
      expect(await worker.claimOne('child')).toMatchObject({ parentId: 'parent', isInputChecked: true });
      expect(await mailOf(harness, 'parent', childTopic('child'))).toEqual([]);
    });

    it('tell their end by mail, in the commit in which they end', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('parent');
      await worker.commit({ starts: [newChild('child')] });
      await worker.settle(park('parent'));
      const ending = endOf('child', 'parent');
      expect(await worker.settle(ending)).toMatchObject({ refused: [], undelivered: [] });
      expect(await mailOf(harness, 'parent', childTopic('child'))).toEqual(['ended']);
      // Once, also when the answer was lost.
      expect(await worker.settle(structuredClone(ending))).toMatchObject({ refused: [], undelivered: [] });
      expect(await worker.claimOne('parent')).toMatchObject({ mail: [{ topic: childTopic('child'), data: '"ended"' }] });
    });

    it('whose end is refused tell nothing', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['parent', 'other']);
      await worker.commit({ starts: [newChild('child')] });
      await harness.cancel('child', 'no');
      const ending = { ...endOf('child', 'parent'), cancels: [{ instanceId: 'other', reason: null }] };
      expect(await worker.settle(ending)).toMatchObject({ refused: ['child'] });
      expect(await mailOf(harness, 'parent', childTopic('child'))).toEqual([]);
      expect(await harness.get('other')).toMatchObject({ cancelRequested: false });
      expect(await worker.settle({ ...ending, status: 'cancelled', output: null })).toMatchObject({ refused: [] });
      expect(await mailOf(harness, 'parent', childTopic('child'))).toEqual(['ended']);
      expect(await harness.get('other')).toMatchObject({ cancelRequested: true });
    });

    it('whose claim was an earlier one tell nothing', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('parent');
      await worker.commit({ starts: [newChild('child')] });
      await worker.settle(park('child', await worker.now()));
      await worker.claimOne('child');
      expect(await worker.settle(endOf('child', 'parent'))).toMatchObject({ refused: [] });
      expect(await mailOf(harness, 'parent', childTopic('child'))).toEqual([]);
    });

    it('that outlive their parent end all the same', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('parent');
      await worker.commit({ starts: [newChild('child')] });
      await worker.settle(complete('parent'));
      const ending = endOf('child', 'parent');
      expect(await worker.settle(ending)).toMatchObject({ refused: [], undelivered: [{ instanceId: 'parent' }] });
      expect(await harness.get('child')).toMatchObject({ status: 'completed' });
      expect(await worker.settle(ending)).toMatchObject({ refused: [], undelivered: [] });
    });

    it('and their parent may end at once', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      for (let round = 0; round < 20; round++) {
        const [parent, child] = [`parent-${round}`, `child-${round}`];
        await worker.start(parent);
        await other.commit({
          starts: [newInstance(child, { parent: { instanceId: parent, conflict: { messageId: child, data: '0' } } })],
        });
        await Promise.all([
          worker.settle({ ...complete(parent), cancels: [{ instanceId: child, reason: 'gone' }] }),
          other.settle({ ...cancelled(child), messages: [newMessage('ended', { topic: childTopic(child), to: one(parent) })] }),
        ]);
        expect(await harness.get(parent)).toMatchObject({ status: 'completed' });
        expect(await harness.get(child)).toMatchObject({ status: 'cancelled' });
        expect(await mailOf(harness, parent, childTopic(child))).toEqual([]);
      }
    });

    it('whose id is taken are refused, and the parent has mail of that, once', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await other.start('taken');
      await worker.start('parent');
      const batch = worker.batch({ starts: [newChild('taken'), newChild('free')], entries: [newEntry('parent', 1)] });
      for (let round = 0; round < 2; round++) {
        expect((await worker.storage.runs.commit(structuredClone(batch))).conflicts).toEqual(['taken']);
        expect(await mailOf(harness, 'parent', childTopic('taken'))).toEqual(['conflict']);
        expect(await mailOf(harness, 'parent', childTopic('free'))).toEqual([]);
      }
      expect((await worker.settle(park('parent'))).refused).toEqual(['parent']);
      expect(await harness.get('taken')).toMatchObject({ parentId: null, owner: other.workerId });
    });

    it('that are cancelled with the end of their parent are asked to end, those that have ended are left alone', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('parent');
      await worker.commit({ starts: ['open', 'away', 'ended', 'asked'].map((id) => newChild(id)) });
      await worker.settle(park('away'), complete('ended'));
      await harness.cancel('asked', 'before');
      const cancels = ['open', 'away', 'ended', 'asked', 'unknown'].map((instanceId) => ({ instanceId, reason: 'parent ended' }));
      const ending = { ...complete('parent'), cancels };
      expect((await worker.settle(ending)).refused).toEqual([]);
      expect((await worker.settle(park('open'))).refused).toEqual(['open']);
      expect(await worker.claimOne('away')).toMatchObject({ cancel: { reason: 'parent ended' } });
      expect(await harness.get('ended')).toMatchObject({ status: 'completed', cancelRequested: false });
      expect((await harness.get('asked')).cancelReason).toBe('before');
      await worker.settle(ofClaim(2, park('away')));
      await worker.settle(ending);
      expect((await harness.get('away')).status).toBe('waiting_for_event');
    });
  });
}

function one(instanceId: string): { readonly type: 'instance'; readonly instanceId: string } {
  return { type: 'instance', instanceId };
}

function newChild(instanceId: string, more: Partial<NewInstance> = {}): NewInstance {
  const conflict = { messageId: `conflict of ${instanceId}`, data: '"conflict"' };
  return newInstance(instanceId, { parent: { instanceId: 'parent', conflict }, ...more });
}

/** It completes, and tells the parent. */
function endOf(child: string, parent: string): Settlement & { readonly type: 'finish' } {
  const messages = [newMessage('ended', { topic: childTopic(child), to: one(parent) })];
  return { type: 'finish', instanceId: child, claim: 1, status: 'completed', output: '1', error: null, messages };
}
