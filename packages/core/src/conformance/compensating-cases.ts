// Cases: an instance whose code is over, and which undoes what it did, says so until it ends.
import { describe, expect, it } from 'vitest';
import { step } from './message-stage.js';
import type { Bench } from './storage-harness.js';
import { cancelled, complete, ofClaim, release } from './test-worker.js';

export function compensatingCases(bench: Bench): void {
  describe('an instance that compensates', () => {
    const begin = { type: 'compensating' } as const;

    it('says so from that entry on, whoever has it, until it ends', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['one', 'two']);
      const status = async (): Promise<string> => (await harness.get('one')).status;
      await step(worker, 'one', begin);
      expect(await harness.get('one')).toMatchObject({ status: 'compensating', owner: worker.workerId });
      await worker.settle(release('one'));
      expect(await harness.get('one')).toMatchObject({ status: 'compensating', owner: null });
      await worker.claimOne('one');
      expect(await status()).toBe('compensating');
      await worker.settle(
        ofClaim(2, { type: 'park', instanceId: 'one', claim: 2, status: 'compensating', wakeAt: await worker.now() }),
      );
      expect(await status()).toBe('compensating');
      await worker.claimOne('one');
      const next = await harness.worker();
      await worker.retire();
      expect(await status()).toBe('compensating');
      await next.claimOne('one');
      expect(await harness.get('one')).toMatchObject({ status: 'compensating', owner: next.workerId });
      await next.settle(ofClaim(4, cancelled('one')));
      expect(await status()).toBe('cancelled');
    });

    it('can be stalled, and goes on as it was', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['one', 'two']);
      await step(worker, 'one', begin);
      await worker.settle({
        type: 'stall',
        instanceId: 'one',
        claim: 1,
        wakeAt: (await worker.now()) + 3_600_000,
        error: '"why"',
      });
      expect(await harness.get('one')).toMatchObject({ status: 'stalled', error: '"why"' });
      const next = await harness.worker();
      await next.claimOne('one');
      expect(await harness.get('one')).toMatchObject({ status: 'compensating', error: null });
    });

    it('ends with what could not be undone', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['one', 'two']);
      expect((await harness.get('one')).compensationFailures).toBeNull();
      const failures = '[{"activityId":"charge:1"}]';
      await worker.settle(
        {
          type: 'finish',
          instanceId: 'one',
          claim: 1,
          status: 'failed',
          output: null,
          error: '"e"',
          compensationFailures: failures,
        },
        complete('two'),
      );
      expect(await harness.get('one')).toMatchObject({ status: 'failed', error: '"e"', compensationFailures: failures });
      expect((await harness.get('two')).compensationFailures).toBeNull();
    });
  });
}
