// Names of calls: sessions that several versions or schemas share must not mix up what they keep under them.
import { expect, it } from 'vitest';
import { createClaimCall } from './claim-function.js';
import { createCommitCalls } from './commit-call.js';
import { createDeliverCall } from './deliver-function.js';
import { callName } from './function-settings.js';
import { tableNames } from './table-names.js';
import { createUpkeepCall } from './upkeep-function.js';

function namesOf(schema: string): string[] {
  const tables = tableNames(schema);
  const { any, runsOnly } = createCommitCalls(tables);
  return [any, runsOnly, createClaimCall(tables), createDeliverCall(tables), createUpkeepCall(tables)].map(({ name }) => name);
}

it('another schema, another text of the same function, another function: another name, of at most 63 bytes', () => {
  const texts = ['SELECT a, b FROM "s".commit_1($1)', 'SELECT a FROM "s".commit_1($1)'];
  expect(new Set(texts.map((text) => callName('commit_1', text))).size).toBe(2);
  expect(callName('commit_1', texts[0]!)).toBe(callName('commit_1', texts[0]!));
  const names = [...namesOf('one'), ...namesOf('other'), ...namesOf('x'.repeat(63))];
  expect(new Set(names).size).toBe(15);
  for (const name of names) expect(name.length).toBeLessThanOrEqual(63);
});

it('the name is that of the text that is sent, whatever its values are', () => {
  const claim = createClaimCall(tableNames('s'));
  const request = { workerId: 'w', workflowNames: ['a', 'b'], limit: 3, historyLimit: 4, mailLimit: 5, holding: null };
  expect(callName('claim_runs_1', claim.of(request).text)).toBe(claim.name);
  const upkeep = createUpkeepCall(tableNames('s'));
  for (const renewal of [null, { leaseMs: 5, presence: 'p', workflowNames: ['a'] }]) {
    const { text } = upkeep.of({ workerId: 'w', renewal, suspects: [{ workerId: 'v', presence: 'q' }] });
    expect(callName(upkeep.name.slice('romancy_'.length, -17), text)).toBe(upkeep.name);
  }
  const deliver = createDeliverCall(tableNames('s'));
  const event = { messageId: 'm', source: 's', topic: 'event:a', data: '1', to: { type: 'subscribers' } } as const;
  for (const starts of [null, { input: '1', idEnding: 'x' }]) {
    expect(
      callName(
        'deliver_messages_1',
        deliver.of([
          { ...event, starts },
          { ...event, starts },
        ]).text,
      ),
    ).toBe(deliver.name);
  }
});
