// A worker process whose one workflow says every 10 ms that it runs here, and when.
import { defineWorkflow } from '@romancy/core';
import { notifiedApp } from '../wakeups/notified-app.js';
import { endWithParent, tellParent } from './tell-parent.js';

export type TalkingWorkerSays = { readonly ready: true } | { readonly line: string; readonly at: bigint };

export interface TalkingWorkerOrder {
  /** Of the instance that it starts, and gets. */
  readonly start: string;
}

const say = (message: TalkingWorkerSays): void => tellParent(message);

const talking = defineWorkflow('bench_talking', async (ctx) => {
  await ctx.run('talk', async ({ signal }) => {
    while (!signal.aborted) {
      say({ line: ctx.instanceId, at: process.hrtime.bigint() });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});

const [url = '', schema = ''] = process.argv.slice(2);
endWithParent();
const romancy = await notifiedApp({ url, schema, workflows: [talking] });
process.on('message', ({ start }: TalkingWorkerOrder) => {
  void romancy.startWorkflow(talking, undefined, { instanceId: start });
});
say({ ready: true });
