// Cases: a subscription that says a place and a value gets the events that have it there, and no others.
import { describe, expect, it } from 'vitest';
import type { TopicFilter } from '../ports/index.js';
import { mailOf, publish } from './message-stage.js';
import type { Bench } from './storage-harness.js';
import { complete, newInstance, park } from './test-worker.js';

const topic = 'event:payment.completed';

const data = {
  order: 'A-1',
  one: 1,
  text: '1',
  half: 0.5,
  negative: -3,
  large: 9007199254740991,
  huge: 1e21,
  zero: 0,
  yes: true,
  no: false,
  nothing: null,
  empty: '',
  object: {},
  list: [],
  nested: { deep: { deeper: ['a', { id: 'x' }, [7]] } },
  'a.b': 'dot',
  'with "quotes"': 'quoted',
  '': 'no name',
  $: 'dollar',
  '0': 'a name',
  größe: 'größer 𝄞',
  trap: `it's {"a":1} \\ %_ ' " ; --`,
};

const matching: readonly TopicFilter[] = [
  { path: ['order'], equals: 'A-1' },
  { path: ['one'], equals: 1 },
  { path: ['text'], equals: '1' },
  { path: ['half'], equals: 0.5 },
  { path: ['negative'], equals: -3 },
  { path: ['large'], equals: 9007199254740991 },
  { path: ['huge'], equals: 1e21 },
  { path: ['zero'], equals: 0 },
  { path: ['yes'], equals: true },
  { path: ['no'], equals: false },
  { path: ['nothing'], equals: null },
  { path: ['empty'], equals: '' },
  { path: ['nested', 'deep', 'deeper', 0], equals: 'a' },
  { path: ['nested', 'deep', 'deeper', 1, 'id'], equals: 'x' },
  { path: ['nested', 'deep', 'deeper', 2, 0], equals: 7 },
  { path: ['a.b'], equals: 'dot' },
  { path: ['with "quotes"'], equals: 'quoted' },
  { path: [''], equals: 'no name' },
  { path: ['$'], equals: 'dollar' },
  { path: ['0'], equals: 'a name' },
  { path: ['größe'], equals: 'größer 𝄞' },
  { path: ['trap'], equals: data.trap },
];

const missing: readonly TopicFilter[] = [
  { path: ['order'], equals: 'A-2' },
  { path: ['order'], equals: 'a-1' },
  { path: ['order'], equals: 'A-1 ' },
  { path: ['Order'], equals: 'A-1' },
  { path: ['one'], equals: '1' },
  { path: ['one'], equals: true },
  { path: ['one'], equals: 2 },
  { path: ['text'], equals: 1 },
  { path: ['half'], equals: '0.5' },
  { path: ['large'], equals: 9007199254740990 },
  { path: ['zero'], equals: false },
  { path: ['zero'], equals: null },
  { path: ['zero'], equals: '' },
  { path: ['yes'], equals: 1 },
  { path: ['yes'], equals: 'true' },
  { path: ['no'], equals: 0 },
  { path: ['no'], equals: null },
  { path: ['nothing'], equals: 'null' },
  { path: ['nothing'], equals: 0 },
  { path: ['absent'], equals: null },
  { path: ['absent'], equals: '' },
  { path: ['order', 'absent'], equals: null },
  { path: ['object'], equals: null },
  { path: ['object'], equals: '{}' },
  { path: ['list'], equals: '[]' },
  { path: ['list', 0], equals: null },
  { path: ['nested', 'deep', 'deeper', 3], equals: null },
  { path: ['nested', 'deep', 'deeper', '0'], equals: 'a' },
  { path: ['nested', 'deep', 'deeper'], equals: 'a' },
  { path: ['a', 'b'], equals: 'dot' },
  { path: [0], equals: 'a name' },
  { path: ['größe'], equals: 'größer' },
  { path: [], equals: null },
];

export function eventFilterCases(bench: Bench): void {
  describe('subscriptions with a filter', () => {
    it.each([
      { name: 'get what has the value at the place', filters: matching, expected: matching },
      { name: 'get nothing that has another value, or nothing, there', filters: missing, expected: [] },
      { name: 'are told apart', filters: [...matching, ...missing], expected: matching },
    ])('$name', async ({ filters, expected }) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const idOf = (filter: TopicFilter): string => JSON.stringify([filter.path, filter.equals]);
      await worker.commit({
        starts: filters.map((filter) => newInstance(idOf(filter))),
        subscriptions: filters.map((filter) => ({ instanceId: idOf(filter), topic, filter })),
      });
      expect(await publish(harness, data, { topic })).toMatchObject({ outcome: 'delivered', receivers: expected.length });
      const got = (await worker.signals(filters.map(idOf))).filter(({ mail }) => mail.length > 0);
      expect(got.map(({ instanceId }) => instanceId).sort()).toEqual(expected.map(idOf).sort());
      for (const { mail } of got) expect(mail.map((piece) => JSON.parse(piece.data) as unknown)).toEqual([data]);
    });

    it('look at what is no object likewise', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const filters: readonly (TopicFilter & { readonly id: string })[] = [
        { id: 'root', path: [], equals: 'x' },
        { id: 'null', path: [], equals: null },
        { id: 'first', path: [0], equals: 'x' },
        { id: 'name', path: ['0'], equals: 'x' },
      ];
      await worker.commit({
        starts: filters.map(({ id }) => newInstance(id)),
        subscriptions: filters.map(({ id, path, equals }) => ({ instanceId: id, topic, filter: { path, equals } })),
      });
      for (const value of ['x', null, ['x'], { 0: 'x' }, 5, []]) await publish(harness, value, { topic });
      expect(await mailOf(harness, 'root', topic)).toEqual(['x']);
      expect(await mailOf(harness, 'null', topic)).toEqual([null]);
      expect(await mailOf(harness, 'first', topic)).toEqual([['x']]);
      expect(await mailOf(harness, 'name', topic)).toEqual([{ 0: 'x' }]);
    });

    it('wake one of many, each of which waits for its own', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 300 }, (_, index) => `order-${index}`);
      await worker.commit({
        starts: ids.map((id) => newInstance(id)),
        subscriptions: ids.map((id) => ({ instanceId: id, topic, filter: { path: ['order', 'id'], equals: id } })),
        settlements: ids.map((id) => park(id)),
      });
      expect((await publish(harness, { order: { id: 'order-250' } }, { topic })).receivers).toBe(1);
      expect(await worker.claimIds()).toEqual(['order-250']);
    });

    it('of one instance count as one that takes what any of them takes', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const filter = (equals: string): TopicFilter => ({ path: ['kind'], equals });
      const subscriptions = ['a', 'b', 'a'].map((kind) => ({ instanceId: 'one', topic, filter: filter(kind) }));
      await worker.commit({ starts: [newInstance('one')], subscriptions });
      await worker.commit({ subscriptions: [{ instanceId: 'one', topic, filter: { path: ['also'], equals: 1 } }] });
      expect((await publish(harness, { kind: 'a', also: 1 }, { topic })).receivers).toBe(1);
      expect((await publish(harness, { kind: 'b' }, { topic })).receivers).toBe(1);
      expect((await publish(harness, { kind: 'c' }, { topic })).receivers).toBe(0);
      await worker.commit({ subscriptions: [{ instanceId: 'one', topic }] });
      expect((await publish(harness, { kind: 'c' }, { topic })).receivers).toBe(1);
      expect((await publish(harness, { kind: 'a' }, { topic })).receivers).toBe(1);
      expect(await mailOf(harness, 'one', topic)).toHaveLength(4);
    });

    it('are of their topic alone, and end with their instance', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const filter = { path: ['order'], equals: 'A-1' };
      await worker.commit({
        starts: [newInstance('one'), newInstance('two')],
        subscriptions: ['one', 'two'].map((instanceId) => ({ instanceId, topic, filter })),
      });
      expect((await publish(harness, data, { topic: 'event:other' })).receivers).toBe(0);
      await worker.settle(complete('one'));
      expect((await publish(harness, data, { topic })).receivers).toBe(1);
    });

    it('may say a long value, and one more letter makes another', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      // Not the same letter again and again, which an index would shorten.
      const long = Array.from({ length: 2000 }, (_, index) => ((index * 7919) % 99991).toString(36)).join('');
      await worker.commit({
        starts: [newInstance('one'), newInstance('two')],
        subscriptions: [
          { instanceId: 'one', topic, filter: { path: ['value'], equals: long } },
          { instanceId: 'two', topic, filter: { path: ['value'], equals: `${long}x` } },
        ],
      });
      expect((await publish(harness, { value: long }, { topic })).receivers).toBe(1);
      expect(await mailOf(harness, 'one', topic)).toHaveLength(1);
      expect((await publish(harness, { value: `${long}x` }, { topic })).receivers).toBe(1);
      expect(await mailOf(harness, 'two', topic)).toHaveLength(1);
    });
  });
}
