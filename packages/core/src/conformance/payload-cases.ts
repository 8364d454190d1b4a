// Cases: every payload comes back as the text that it was, wherever it was stored.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { complete, fail, newEntry, newInstance, ofClaim, release } from './test-worker.js';

const million = 1_048_576;

/** A JSON string of that many bytes in all. */
function sized(bytes: number): string {
  return `"${'x'.repeat(bytes - 2)}"`;
}

const payloads: readonly { readonly name: string; readonly text: string }[] = [
  { name: '1 byte', text: '7' },
  { name: '1 MB', text: sized(million) },
  { name: '10 MB', text: sized(10 * million) },
  { name: '1 MB of letters of three bytes', text: `"${'語'.repeat(Math.floor(million / 3))}"` },
  { name: 'unicode of all planes', text: JSON.stringify('aé\u0301ß語🧾👩‍👩‍👧‍👦\u202e\ufeff\ufffd\u2028\u2029') },
  { name: 'escapes', text: '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\\u00e9"' },
  { name: 'what SQL and formats might read', text: JSON.stringify(`'; drop table x; -- $1 ? :name %s \\ {} \${x} ''`) },
  { name: 'members out of order, and names like numbers', text: '{"z":1,"a":2,"10":3,"9":4,"":5,"__proto__":6}' },
  { name: 'numbers as they are written', text: '[0,-0,1.0,1e3,1E-7,0.1,12345678901234567890,1.7976931348623157e308,5e-324]' },
  { name: 'literals', text: '[null,true,false,{},[],""]' },
  { name: 'deep nesting', text: `${'['.repeat(500)}1${']'.repeat(500)}` },
  { name: '10,000 members', text: JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key ${n}`, n]))) },
];

export function payloadCases(bench: Bench): void {
  describe('payloads', () => {
    it.each(payloads)('of $name come back as the same text', async ({ text }) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: ['completes', 'fails', 'stalls'].map((id) => newInstance(id, { input: text })),
        entries: [newEntry('completes', 1, { data: text })],
      });
      await harness.deliver({ targetInstanceId: 'completes', data: text });
      same(text, (await worker.signals('completes'))[0]?.mail[0]?.data);
      same(text, (await worker.history('completes'))[0]?.data);

      await worker.settle(release('completes'));
      const run = await worker.claimOne('completes');
      same(text, run.input);
      same(text, run.history[0]?.data);
      same(text, run.mail[0]?.data);

      await worker.settle(ofClaim(run.claim, complete('completes', text)), fail('fails', text), {
        type: 'stall',
        instanceId: 'stalls',
        claim: 1,
        wakeAt: (await worker.now()) + 1_000_000,
        error: text,
      });
      same(text, (await harness.get('completes')).input);
      same(text, (await harness.get('completes')).output);
      same(text, (await harness.get('fails')).error);
      same(text, (await harness.get('stalls')).error);
      const finished = await (await harness.storage()).instances.finished(['completes']);
      same(text, finished[0]?.output);
    });

    it('of many sizes share a batch', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const sizes = [3, 100, 10_000, million, 3 * million, 4];
      await worker.commit({
        starts: [newInstance('one')],
        entries: sizes.map((bytes, index) => newEntry('one', index + 1, { data: sized(bytes) })),
      });
      const read = await worker.history('one');
      expect(read.map((entry) => entry.data?.length)).toEqual(sizes);
    });

    it('of any letters may be in ids, names, topics, sources and reasons', async () => {
      const harness = await bench.harness();
      const text = `é'"\\\`%_$1?:x 語🧾 --`;
      const worker = await harness.worker({ workflowNames: [text] });
      await worker.commit({
        starts: [newInstance(text, { workflowName: text, startToken: `${text} token` })],
        entries: [newEntry(text, 1, { callId: text })],
        subscriptions: [{ instanceId: text, topic: text }],
      });
      expect(await harness.deliver({ topic: text, source: text, messageId: text })).toMatchObject({ receivers: 1 });
      expect(await harness.deliver({ topic: text, source: text, messageId: text })).toMatchObject({ outcome: 'duplicate' });
      await harness.cancel(text, text);
      await worker.settle(release(text));
      expect(await worker.claimOne(text)).toMatchObject({
        instanceId: text,
        workflowName: text,
        cancel: { reason: text },
        history: [{ callId: text }],
        mail: [{ topic: text }],
      });
      expect(await harness.get(text)).toMatchObject({ instanceId: text, workflowName: text, cancelReason: text });
    });
  });
}

/** Long texts are compared without being shown whole. */
function same(expected: string, actual: string | null | undefined): void {
  if (expected.length < 2000) expect(actual).toBe(expected);
  else {
    expect(actual?.length).toBe(expected.length);
    expect(actual === expected).toBe(true);
  }
}
