import pg from 'pg';
import { startPostgres } from '@romancy/test-support/postgres';
import { createPostgresStorage } from '../src/index.js';
import { commitStatement } from '../src/commit-statement.js';
import { tableNames } from '../src/table-names.js';
import { commitFunction, commitCall } from './fn.js';
import { createHash } from 'node:crypto';

const cluster = await startPostgres({ durable: true });
try {
  const pool = new pg.Pool({ connectionString: cluster.url, max: 4 });
  const storage = createPostgresStorage({ pool, schema: 'romancy' });
  await storage.open({ logger: console as any } as any);
  const client = await pool.connect();
  const tables = (tableNames as any)('romancy');
  await client.query(`insert into romancy.workers values ('w','s',now(),now()+interval '1 hour')`);
  await client.query('create table rawh (instance_id text collate "C", seq int, data json, primary key(instance_id, seq))');
  const asText = { getTypeParser: () => (t: string) => t };
  let seq = 0;
  const entry = (i: string) => ({ instanceId: i, seq: ++seq, kind: 'activity_completed', callId: 'step:1', position: 1, data: JSON.stringify('x'.repeat(100)), dueAt: null }) as any;
  const run = (mode: string, st: any) => {
    const text = st.text;
    const q: any = { text, values: st.values, rowMode: 'array', types: asText };
    if (mode === 'named') q.name = createHash('md5').update(text).digest('hex');
    return client.query(q);
  };
  const time = async (label: string, n: number, f: () => Promise<unknown>) => {
    for (let i = 0; i < 50; i++) await f();
    const t = performance.now(); const c = process.cpuUsage();
    for (let i = 0; i < n; i++) await f();
    const cpu = process.cpuUsage(c);
    const ms = (performance.now() - t) / n;
    console.log(label.padEnd(40), ms.toFixed(3), 'ms', 'node cpu', ((cpu.user + cpu.system) / 1000 / n).toFixed(3));
  };
  const empty = { workerId: 'w', starts: [], entries: [], subscriptions: [], takenMail: [], settlements: [] } as any;
  const mk = (k: string, id: number): any => {
    const i = 'i' + id;
    if (k === 'entry') return [{ ...empty, entries: [entry('a')] }, []];
    if (k === 'entry100') return [{ ...empty, entries: Array.from({ length: 100 }, (_, n) => entry('a' + n)) }, []];
    if (k === 'start') return [{ ...empty, starts: [{ instanceId: i, workflowName: 'wf', input: JSON.stringify('x'.repeat(200)), startToken: 't' + id, owned: true }] }, []];
    return [{ ...empty, entries: [entry(i)], settlements: [{ type: 'finish', instanceId: i, status: 'completed', output: '"x"', error: null }] }, [1]];
  };
  await client.query(commitFunction(tables, 'romancy'));
  const fn = (b: any, c: any) => commitCall('romancy', b, c);
  const G = 100;
  for (const sc of ['on', 'off']) {
    await client.query(`set synchronous_commit = ${sc}`);
    console.log('synchronous_commit', sc);
    let id = sc === 'on' ? 0 : 1000000;
    await time('raw insert named', 500, () => client.query({ name: 'raw', text: 'insert into rawh values ($1,$2,$3)', values: ['a', ++seq, JSON.stringify('x'.repeat(100))] }));
    for (let round = 0; round < 2; round++)
    for (const mode of ['cte unnamed', 'fn unnamed', 'fn named']) {
      const st = mode.startsWith('cte') ? (b: any, c: any) => commitStatement(tables, b, c) : fn;
      const m = mode.endsWith(' named') ? 'named' : 'unnamed';
      let from = id;
      await time(`start ${mode}`, 300, () => { const [b, c] = mk('start', ++id) as any; return run(m, st(b, c)); });
      let j = from;
      await time(`entry ${mode}`, 300, () => { const [b, c] = mk('entry', ++id) as any; return run(m, st(b, c)); });
      await time(`finish ${mode}`, 300, () => { const [b, c] = mk('finish', ++j) as any; return run(m, st(b, c)); });
      from = id;
      await time(`start100 ${mode}`, 100, () => { const starts = Array.from({ length: G }, () => mk('start', ++id)[0].starts[0]); return run(m, st({ ...empty, starts }, [])); });
      j = from;
      await time(`entry100 ${mode}`, 100, () => { const [b, c] = mk('entry100', ++id) as any; return run(m, st(b, c)); });
      await time(`finish100 ${mode}`, 100, () => { const bs = Array.from({ length: G }, () => mk('finish', ++j)[0]); return run(m, st({ ...empty, entries: bs.map((b: any) => b.entries[0]), settlements: bs.map((b: any) => b.settlements[0]) }, bs.map(() => 1))); });
    }
  }
  console.log((await client.query('select status, count(*) from romancy.instances group by 1')).rows, (await client.query('select count(*) from romancy.history')).rows);
  client.release();
  await storage.close();
  await pool.end();
} finally { await cluster.stop(); }
