// A statement that the driver fails to write is no refusal of the database: it is sent again.
import { defineWorkflow, Romancy } from '@romancy/core';
import { recordingLogger } from '@romancy/core/testing';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';

it('a step that the driver once fails to write goes on: nothing was done by it, and nobody is to blame', async () => {
  const { url } = await createDatabase();
  const own = new pg.Pool({ connectionString: url, max: 3 });
  const logger = recordingLogger();
  const sent: string[] = [];
  own.on('connect', (client) => {
    const driver = (client as unknown as { readonly connection: { bind: (call: { values: readonly unknown[] }) => void } })
      .connection;
    const bind = driver.bind.bind(driver);
    driver.bind = (call) => {
      const isStep = call.values.some((value) => String(value).includes('a result'));
      if (isStep) sent.push('step');
      if (isStep && sent.length === 1) throw new RangeError('no memory');
      bind(call);
    };
  });
  const workflow = defineWorkflow('unwritten', async (ctx) => {
    await ctx.run('step', () => 'a result');
    return await ctx.run('next', () => 'next');
  });
  const romancy = new Romancy({ storage: createPostgresStorage({ pool: own }), workflows: [workflow], logger });
  afterwards(async () => {
    await romancy.stop();
    await own.on('error', () => undefined).end();
  });
  await romancy.start();
  const handle = await romancy.startWorkflow(workflow);
  expect(await handle.result({ timeout: '10s' })).toBe('next');
  expect(sent).toEqual(['step', 'step']);
  expect(logger.matching('stalled')).toEqual([]);
});
