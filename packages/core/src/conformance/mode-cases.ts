// Cases: the first subscription decides how a channel hands out its messages, for all of them.
import { describe, expect, it } from 'vitest';
import { channelModes } from '../ports/index.js';
import { drain, publish, startSubscribed, topic } from './message-stage.js';
import type { Bench } from './storage-harness.js';
import { complete, newInstance } from './test-worker.js';

export function modeCases(bench: Bench): void {
  describe('the mode of a channel', () => {
    it('is what was asked for first, and later ones are told', async () => {
      const harness = await bench.harness();
      const { messages } = await harness.storage();
      expect(await messages.fixMode({ topic, mode: 'competing' })).toBe('competing');
      expect(await messages.fixMode({ topic, mode: 'competing' })).toBe('competing');
      expect(await messages.fixMode({ topic, mode: 'broadcast' })).toBe('competing');
      expect(await (await harness.open()).messages.fixMode({ topic, mode: 'direct' })).toBe('competing');
      expect(await messages.fixMode({ topic: `${topic}2`, mode: 'direct' })).toBe('direct');
      expect(await messages.fixMode({ topic: 'channel:Jobs', mode: 'broadcast' })).toBe('broadcast');
    });

    it('is one, however many processes ask for different ones at once', async () => {
      const harness = await bench.harness();
      const storages = await Promise.all(Array.from({ length: 10 }, () => harness.open()));
      for (let round = 0; round < 15; round++) {
        const modes = await Promise.all(
          storages.map(({ messages }, index) =>
            messages.fixMode({ topic: `channel:${round}`, mode: channelModes[(index + round) % 3]! }),
          ),
        );
        expect(new Set(modes).size).toBe(1);
      }
    });

    it('comes with a subscription, too, and stays when nobody is subscribed any more', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one')], subscriptions: [{ instanceId: 'one', topic, mode: 'broadcast' }] });
      expect(await worker.storage.messages.fixMode({ topic, mode: 'competing' })).toBe('broadcast');
      await worker.settle(complete('one'));
      expect(await worker.storage.messages.fixMode({ topic, mode: 'competing' })).toBe('broadcast');
    });

    it('is decided while messages come, and none of a competing channel is lost or doubled', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (let round = 0; round < 20; round++) {
        const each = `channel:${round}`;
        await Promise.all([
          publish(harness, 1, { topic: each }),
          startSubscribed(worker, [`one-${round}`], { topic: each, mode: 'competing' }),
          publish(harness, 2, { topic: each }),
        ]);
        expect([...(await drain(harness, worker, `one-${round}`, each))].sort()).toEqual([1, 2]);
      }
    });
  });
}
