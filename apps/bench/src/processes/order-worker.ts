// A worker process that joins and leaves as it is told, runs orders, and tells how many it got and what it asked for.
import type { Romancy } from '@romancy/core';
import { waitsForEvent, waitsForTime } from '../wakeups/backlog-workflows.js';
import { notifiedApp } from '../wakeups/notified-app.js';
import { closedLoop, makeInput, orderWorkflow } from '../workload.js';
import { endWithParent, tellParent } from './tell-parent.js';

export interface OrderWorkerOrder {
  readonly turn: number;
  /** `work`: starts and runs orders of its own. */
  readonly act: 'join' | 'work' | 'leave';
}

export type OrderWorkerSays =
  | { readonly up: true }
  /** How long that took, in milliseconds, and how large the process is then. */
  | { readonly turn: number; readonly joined: true; readonly joinMs: number; readonly rssMb: number }
  /** How large the process is after its work. */
  | { readonly turn: number; readonly worked: true; readonly rssMb: number }
  /** So many were completed here in this turn; said whenever it is more, every few milliseconds. */
  | { readonly turn: number; readonly completed: number }
  | { readonly turn: number; readonly left: true; readonly claims: number };

const say = (message: OrderWorkerSays): void => tellParent(message);

const [url = '', schema = ''] = process.argv.slice(2);
endWithParent();
let romancy: Romancy | undefined;
let completed = 0;
let telling: NodeJS.Timeout | undefined;

/** Enough for the process to become as large as such work makes it. */
const ordersOfItsOwn = { count: 5000, concurrency: 100 };

const acts = { join, work, leave };
process.on('message', ({ turn, act }: OrderWorkerOrder) => void acts[act](turn));

async function join(turn: number): Promise<void> {
  completed = 0;
  const began = performance.now();
  const hooks = { onWorkflowEnd: () => void completed++ };
  romancy = await notifiedApp({ url, schema, workflows: [orderWorkflow, waitsForEvent, waitsForTime], hooks });
  const joinMs = performance.now() - began;
  say({ turn, joined: true, joinMs, rssMb: rssMb() });
  let told = 0;
  telling = setInterval(() => {
    if (completed !== told) say({ turn, completed: (told = completed) });
  }, 5);
}

async function work(turn: number): Promise<void> {
  await closedLoop(ordersOfItsOwn, async () => {
    const run = await romancy!.startWorkflow(orderWorkflow, makeInput());
    await run.result();
  });
  say({ turn, worked: true, rssMb: rssMb() });
}

async function leave(turn: number): Promise<void> {
  const claims = romancy!.status().claims;
  await romancy!.stop();
  clearInterval(telling);
  say({ turn, left: true, claims });
}

function rssMb(): number {
  return process.memoryUsage().rss / 2 ** 20;
}

say({ up: true });
