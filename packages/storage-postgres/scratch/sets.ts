import pg from 'pg';
import { startPostgres } from '@romancy/test-support/postgres';
import { createPostgresStorage } from '../src/index.js';
import { tableNames } from '../src/table-names.js';
import { commitCall, createCommitFunction } from '../src/commit-function.js';
const cluster = await startPostgres({ durable: true, settings: { max_wal_size: '16GB', checkpoint_timeout: '1h' } } as never);
const pool = new pg.Pool({ connectionString: cluster.url, max: 4 });
const storage = createPostgresStorage({ pool, schema: 'romancy' });
await storage.open({ logger: console as any } as any);
const client = await pool.connect();
await client.query(`insert into romancy.workers values ('w','s',now(),now()+interval '1 hour')`);
await client.query('create table rawh (instance_id text collate "C", seq int, data json, primary key(instance_id, seq))');
const empty = { workerId: 'w', starts: [], entries: [], subscriptions: [], takenMail: [], settlements: [] } as any;
const t = tableNames('romancy');
let seq = 0, id = 0;
const mk: any = {
  entry: () => ({ ...empty, entries: [{ instanceId: 'a', seq: ++seq, kind: 'activity_completed', callId: 'step:1', position: 1, data: JSON.stringify('x'.repeat(100)), dueAt: null }] }),
  start: () => ({ ...empty, starts: [{ instanceId: 'i' + ++id, workflowName: 'wf', input: JSON.stringify('x'.repeat(200)), startToken: 't', owned: true }] }),
  finish: () => ({ ...mk.entry(), settlements: [{ type: 'finish', instanceId: 'i' + id--, claim: 1, status: 'completed', output: '"x"', error: null }] }),
};
const asText = { getTypeParser: () => (x: string) => x };
const time = async (label: string, kind: string, n: number, opt: any) => {
  for (let i = 0; i < 50; i++) await one(kind, opt);
  const t0 = performance.now();
  for (let i = 0; i < n; i++) await one(kind, opt);
  return `${label} ${((performance.now() - t0) / n * 1000).toFixed(0)}`;
};
const one = async (kind: string, opt: any) => { const c = commitCall(t, mk[kind]()); return client.query({ text: c.text, values: [...c.values] as any, rowMode: 'array', types: asText, ...opt } as any); };
await client.query('set synchronous_commit = off');
const body = createCommitFunction(t);
const variants: Record<string, string> = {
  'all': body,
  'no search_path': body.replace("SET search_path = pg_catalog\n", ''),
  'no sets': body.replace(/^SET .*$/gm, ''),
  'only search_path': body.replace(/^SET plan.*\n.*jit = off$/gm, ''),
};
for (let r = 0; r < 2; r++) {
  for (const [k, v] of Object.entries(variants)) {
    await client.query('drop function romancy.commit_progress_1'); await client.query(v);
    const out = [k.padEnd(18)];
    for (const [m, opt] of [['unnamed', {}], ['named', { name: 'c' + k + r }]] as any) out.push(await time(m + ' entry', 'entry', 1500, opt), await time('start', 'start', 1000, opt), await time('finish', 'finish', 900, opt), '|');
    console.log(out.join(' '));
  }
  const t0 = performance.now(); for (let i = 0; i < 1500; i++) await client.query({ name: 'raw', text: 'insert into rawh values ($1,$2,$3)', values: ['a', ++seq, JSON.stringify('x'.repeat(100))] }); console.log('raw named', ((performance.now() - t0) / 1500 * 1000).toFixed(0));
  const t1 = performance.now(); for (let i = 0; i < 1500; i++) await client.query({ text: 'select $1::text', values: ['a'] }); console.log('select 1 unnamed', ((performance.now() - t1) / 1500 * 1000).toFixed(0));
}
client.release(); await storage.close(); await pool.end(); await cluster.stop();
