// What a workflow costs in statements: counted, so that it cannot rise unnoticed.
import { defineWorkflow, Romancy } from '@romancy/core';
import { recordingLogger } from '@romancy/core/testing';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresStorage, type PostgresPool } from '../src/index.js';

/** Texts of all statements that went through the pool. */
const statements: string[] = [];
let pool: pg.Pool;
let app: Romancy;

const threeSteps = defineWorkflow('three_steps', async (ctx, start: number) => {
  const one = await ctx.run('one', () => start + 1);
  const two = await ctx.run('two', () => one + 1);
  return await ctx.run('three', () => two + 1);
});

const sleeper = defineWorkflow('sleeper', async (ctx) => {
  await ctx.sleep(50);
  return 'awake';
});

/** A client's statements are counted where it sends them: by a pool that hands out clients which count. */
function counting(counted: pg.Pool): PostgresPool {
  const wrapped = new WeakSet<object>();
  return Object.assign(Object.create(counted) as pg.Pool, {
    connect: async () => {
      const client = await counted.connect();
      if (!wrapped.has(client)) {
        wrapped.add(client);
        const query = client.query.bind(client) as (query: { text: string }) => Promise<unknown>;
        client.query = ((sent: { text: string }) => {
          statements.push(sent.text);
          return query(sent);
        }) as typeof client.query;
      }
      return client;
    },
  });
}

beforeAll(async () => {
  const { url } = await createDatabase();
  pool = new pg.Pool({ connectionString: url, max: 10 });
  app = new Romancy({
    storage: createPostgresStorage({ pool: counting(pool) }),
    workflows: [threeSteps, sleeper],
    logger: recordingLogger(),
    // Neither a poll nor a heartbeat comes in between.
    workflowPollInterval: '1h',
    timerPollInterval: '1h',
    channelTimeoutInterval: '1h',
    leaseDuration: '10h',
  });
  await app.start();
  // The first claim of a worker, which looks for what is there already, is behind us when this has ended.
  await (await app.startWorkflow(sleeper)).result();
});

afterAll(async () => {
  await app.stop();
  // It does not wait for its sessions to end, and the database that goes behind it may end them first.
  await pool.on('error', () => undefined).end();
});

async function statementsOf(work: () => Promise<void>): Promise<string[]> {
  statements.length = 0;
  await work();
  // On a slow machine the look for dead workers, one in ten seconds, may fall in between; it belongs to no workflow.
  return statements.filter((text) => !text.includes('upkeep_1('));
}

describe('the cost of a workflow on PostgreSQL', () => {
  it('of three steps on an idle worker: four commits, each one statement and one round trip', async () => {
    const commitsBefore = app.status().commits;
    const sent = await statementsOf(async () => {
      const run = await app.startWorkflow(threeSteps, 1);
      expect(await run.result()).toBe(4);
    });
    expect(app.status().commits - commitsBefore).toBe(4);
    expect(sent).toHaveLength(4);
    for (const text of sent) expect(text).toMatch(/commit_(runs|progress)_1\(|INSERT INTO "romancy"."(instances|history)"/);
  });

  it('of a hundred at once: they share their commits', async () => {
    const sent = await statementsOf(async () => {
      const runs = await Promise.all(Array.from({ length: 100 }, (_, index) => app.startWorkflow(threeSteps, index)));
      expect(await Promise.all(runs.map((run) => run.result()))).toEqual(Array.from({ length: 100 }, (_, index) => index + 3));
    });
    // 400 if they did not; 4 when all move in step. How far they come out of step is up to the machine, not so that few go together.
    expect(sent.length).toBeLessThanOrEqual(40);
  });

  it('of a sleep: the start, the wait, the claim that brings the history along, the end', async () => {
    const sent = await statementsOf(async () => {
      const run = await app.startWorkflow(sleeper);
      await run.result({ timeout: '10s' });
    });
    const commits = sent.filter((text) => /commit_(runs|progress)_1\(/.test(text));
    const claims = sent.filter((text) => text.includes('claim_runs_1('));
    expect(claims).toHaveLength(1);
    expect(commits.length).toBeLessThanOrEqual(3);
  });
});
