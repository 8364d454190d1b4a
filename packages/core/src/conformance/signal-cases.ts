// Cases: mail and attention, and that no park overlooks what came.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { complete, newEntry, ofClaim, park, release, stall } from './test-worker.js';

export function signalCases(bench: Bench): void {
  describe('signals and mail', () => {
    it('come with a claim, mail oldest first', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(park('one'));
      const data = ['"a"', '"b"', '"c"'];
      for (const [index, text] of data.entries()) {
        await harness.deliver({ targetInstanceId: 'one', data: text, topic: index === 1 ? 'event:other' : 'event:paid' });
      }
      await harness.cancel('one', 'no longer wanted');
      const run = await worker.claimOne('one');
      expect(run.cancel).toEqual({ reason: 'no longer wanted' });
      expect(run.mail.map(({ topic, data: text }) => [topic, text])).toEqual([
        ['event:paid', '"a"'],
        ['event:other', '"b"'],
        ['event:paid', '"c"'],
      ]);
      expect(new Set(run.mail.map(({ mailId }) => mailId)).size).toBe(3);
    });

    it('are read by the owner alone', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start(['mine', 'parked', 'ended']);
      await other.start('others');
      await worker.settle(park('parked'), complete('ended'));
      for (const targetInstanceId of ['mine', 'others', 'parked']) await harness.deliver({ targetInstanceId });
      const ids = ['mine', 'others', 'parked', 'ended', 'unknown'];
      const read = await worker.signals(ids);
      expect(read.map((signals) => signals.instanceId)).toEqual(['mine']);
      expect(read[0]?.mail).toHaveLength(1);
      // What another one owns keeps its attention.
      expect((await other.settle(park('others'))).refused).toEqual(['others']);
    });

    it('leave a running instance with its owner', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start(['mail', 'cancel']);
      await harness.deliver({ targetInstanceId: 'mail' });
      await harness.cancel('cancel');
      for (const id of ['mail', 'cancel']) {
        expect(await harness.get(id)).toMatchObject({ status: 'running', owner: worker.workerId, wakeAt: null });
      }
      expect(await other.claim()).toMatchObject({ claimed: [], attention: [], nextDueAt: null });
    });

    it('of a quiet instance are empty', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      expect(await worker.signals('one')).toEqual([{ instanceId: 'one', cancel: null, mail: [] }]);
    });

    it('stay until they are taken, whole, at each reading', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await harness.deliver({ targetInstanceId: 'one', data: '1' });
      await harness.deliver({ targetInstanceId: 'one', data: '2' });
      await harness.cancel('one');
      const [first] = await worker.signals('one');
      expect(first).toMatchObject({ cancel: { reason: null }, mail: [{ data: '1' }, { data: '2' }] });
      expect(await worker.signals('one')).toEqual([first]);
      await worker.commit({
        entries: [newEntry('one', 1, { kind: 'event_received' })],
        takenMail: [{ instanceId: 'one', mailId: first!.mail[0]!.mailId }],
      });
      expect((await worker.signals('one'))[0]?.mail).toEqual(first!.mail.slice(1));
    });

    it('are told up to the limit; the rest is read topic by topic, also after a piece that was taken', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.start('two');
      for (let n = 0; n < 6; n++) {
        await harness.deliver({ targetInstanceId: 'one', topic: n % 2 === 0 ? 'event:even' : 'event:odd', data: String(n) });
        await harness.deliver({ targetInstanceId: 'two', topic: 'event:even', data: '"not mine"' });
      }
      const [signals] = await worker.signals('one', 3);
      expect(signals?.mail.map(({ data }) => data)).toEqual(['0', '1', '2']);
      const even = (afterMailId: string | null, limit = 100) =>
        worker.storage.runs.mail({ instanceId: 'one', topic: 'event:even', afterMailId, limit });
      const all = await even(null);
      expect(all.map(({ data, topic }) => `${topic} ${data}`)).toEqual(['event:even 0', 'event:even 2', 'event:even 4']);
      expect(await even(null, 2)).toEqual(all.slice(0, 2));
      expect(await even(all[1]!.mailId)).toEqual(all.slice(2));
      await worker.commit({ takenMail: [{ instanceId: 'one', mailId: all[0]!.mailId }] });
      expect(await even(all[0]!.mailId)).toEqual(all.slice(1));
      expect(await even(all[2]!.mailId)).toEqual([]);
      expect(await worker.storage.runs.mail({ instanceId: 'one', topic: 'event:none', afterMailId: null, limit: 9 })).toEqual([]);
    });

    it('keep the order of arrival over more pieces than nine', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      for (let n = 0; n < 25; n++) await harness.deliver({ targetInstanceId: 'one', data: String(n) });
      const expected = Array.from({ length: 25 }, (_, n) => String(n));
      const [signals] = await worker.signals('one');
      expect(signals?.mail.map(({ data }) => data)).toEqual(expected);
      const page = await worker.storage.runs.mail({
        instanceId: 'one',
        topic: 'event:paid',
        afterMailId: signals!.mail[8]!.mailId,
        limit: 100,
      });
      expect(page.map(({ data }) => data)).toEqual(expected.slice(9));
    });

    it('taken by one instance stay with the others that got the same event', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['a', 'b']);
      await worker.commit({ subscriptions: ['a', 'b'].map((instanceId) => ({ instanceId, topic: 'event:paid' })) });
      expect((await harness.deliver({ topic: 'event:paid' })).receivers).toBe(2);
      const [a] = await worker.signals('a');
      await worker.commit({ takenMail: [{ instanceId: 'a', mailId: a!.mail[0]!.mailId }] });
      expect((await worker.signals('a'))[0]?.mail).toEqual([]);
      expect((await worker.signals('b'))[0]?.mail).toHaveLength(1);
    });

    it('refuse a park that would overlook them, until they are read', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['mail', 'cancel']);
      await harness.deliver({ targetInstanceId: 'mail' });
      await harness.cancel('cancel');
      const { refused } = await worker.settle(park('mail'), park('cancel'));
      expect([...refused].sort()).toEqual(['cancel', 'mail']);
      for (const id of ['mail', 'cancel']) {
        expect(await harness.get(id)).toMatchObject({ status: 'running', owner: worker.workerId });
      }
      await worker.signals(['mail', 'cancel']);
      expect((await worker.settle(park('mail'), park('cancel'))).refused).toEqual([]);
      expect((await harness.get('mail')).owner).toBeNull();
    });

    it('of a refused park leave the rest of the batch to be committed', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['refused', 'fine']);
      await harness.deliver({ targetInstanceId: 'refused' });
      const result = await worker.commit({
        entries: [newEntry('refused', 1), newEntry('fine', 1)],
        settlements: [park('refused'), park('fine')],
      });
      expect(result.refused).toEqual(['refused']);
      expect(await worker.history('refused')).toHaveLength(1);
      expect((await harness.get('fine')).owner).toBeNull();
    });

    it('that were seen at the claim do not refuse the park after it', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(park('one'));
      await harness.deliver({ targetInstanceId: 'one' });
      const { claim } = await worker.claimOne('one');
      expect((await worker.settle(ofClaim(claim, park('one')))).refused).toEqual([]);
      // The mail is still there, but was seen: nothing wakes the instance for it a second time.
      expect(await worker.claimIds()).toEqual([]);
    });

    it('never refuse a release, a stall or a failure to come', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = ['release', 'stall', 'complete'];
      await worker.start(ids);
      for (const targetInstanceId of ids) await harness.deliver({ targetInstanceId });
      const now = await worker.now();
      expect((await worker.settle(release('release'), stall('stall', now), complete('complete'))).refused).toEqual([]);
      for (const id of ids) expect((await harness.get(id)).owner).toBeNull();
      expect((await worker.claimOne('release')).mail).toHaveLength(1);
    });

    it('end with their instance: neither mail nor subscription is left', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['ends', 'stays']);
      await worker.commit({ subscriptions: ['ends', 'stays'].map((instanceId) => ({ instanceId, topic: 'event:paid' })) });
      await harness.deliver();
      await worker.settle(complete('ends'));
      const mail = (instanceId: string) =>
        worker.storage.runs.mail({ instanceId, topic: 'event:paid', afterMailId: null, limit: 10 });
      expect(await mail('ends')).toEqual([]);
      expect(await mail('stays')).toHaveLength(1);
      expect((await harness.deliver()).receivers).toBe(1);
      expect(await mail('ends')).toEqual([]);
    });

    it('are never lost between a park and a delivery that come at once', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      let received = 0;
      let claim = 1;
      for (let round = 0; round < bench.options.parkRaces; round++) {
        const [parked] = await Promise.all([
          worker.settle(ofClaim(claim, park('one'))),
          harness.deliver({ targetInstanceId: 'one', data: String(round) }),
        ]);
        // Either the delivery came first, and the park is refused; or it found the instance put away, and made it claimable.
        const run = parked.refused.length > 0 ? undefined : await worker.claimOne('one');
        claim = run?.claim ?? claim;
        const signals = run ?? (await worker.signals('one'))[0];
        expect(signals?.mail.map(({ data }) => data)).toEqual([String(round)]);
        received += signals!.mail.length;
        await worker.commit({ takenMail: signals!.mail.map(({ mailId }) => ({ instanceId: 'one', mailId })) });
      }
      expect(received).toBe(bench.options.parkRaces);
    });

    it('are never lost between a park and a cancellation that come at once', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (let round = 0; round < Math.ceil(bench.options.parkRaces / 6); round++) {
        const instanceId = `cancelled-${round}`;
        await worker.start(instanceId);
        const [parked] = await Promise.all([worker.settle(park(instanceId)), harness.cancel(instanceId, 'race')]);
        const signals = parked.refused.length > 0 ? (await worker.signals(instanceId))[0] : await worker.claimOne(instanceId);
        expect(signals?.cancel).toEqual({ reason: 'race' });
      }
    });
  });
}
