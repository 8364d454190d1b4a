import pg from 'pg';
import { startPostgres } from '@romancy/test-support/postgres';
import { createPostgresStorage } from '../src/index.js';
import { tableNames } from '../src/table-names.js';
import { commitCall } from './fn.js';
import { randomUUID } from 'node:crypto';
const cluster = await startPostgres({ durable: true, settings: { max_wal_size: '16GB', checkpoint_timeout: '1h' } } as never);
const pool = new pg.Pool({ connectionString: cluster.url, max: 4 });
const storage = createPostgresStorage({ pool, schema: 'romancy' });
await storage.open({ logger: console as any } as any);
const client = await pool.connect();
await client.query(`insert into romancy.workers values ('w','s',now(),now()+interval '1 hour')`);
const empty = { workerId: 'w', starts: [], entries: [], subscriptions: [], takenMail: [], settlements: [] } as any;
async function start(n: number) { const ids = Array.from({ length: n }, () => randomUUID()); const c = commitCall('romancy', { ...empty, starts: ids.map((instanceId) => ({ instanceId, workflowName: 'wf', input: JSON.stringify('x'.repeat(200)), startToken: instanceId, owned: true })) }, []); await client.query(c); return ids; }
async function finish(ids: string[]) { const c = commitCall('romancy', { ...empty, settlements: ids.map((instanceId) => ({ type: 'finish', instanceId, claim: 1, status: 'completed', output: '"' + 'x'.repeat(100) + '"', error: null })) }, ids.map(() => 1)); await client.query(c); }
async function timed(label: string) { let a = 0, b = 0; for (let i = 0; i < 200; i++) { let t = performance.now(); const ids = await start(100); a += performance.now() - t; t = performance.now(); await finish(ids); b += performance.now() - t; } console.log(label, 'start100', (a / 200).toFixed(2), 'finish100', (b / 200).toFixed(2)); }
await timed('warm'); await timed('all indexes');
const ids = await start(100);
const r = await client.query(`explain (analyze, buffers, wal) UPDATE romancy.instances i SET status = 'completed', owner = NULL, attention = false, version = i.version + 1, output = '"x"', wake_at = NULL, finished_at = now() FROM unnest($1::text[]) x (instance) WHERE i.instance_id = x.instance AND i.owner = 'w' AND NOT i.attention RETURNING i.instance_id`, [ids]);
console.log(r.rows.map((x: any) => x['QUERY PLAN']).join('\n'));
for (const drop of ['instances_status', 'instances_created', 'instances_attention', 'instances_owner', 'instances_due']) { await client.query(`drop index romancy.${drop}`); await timed('without ' + drop); }
client.release(); await storage.close(); await pool.end(); await cluster.stop();
