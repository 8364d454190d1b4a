// What a process with a healthy notifier asks its server for while 1,000 instances wait and nothing happens.
import { ownRow } from '../measurement.js';
import { pause } from '../pause.js';
import { countPerSecond } from '../places/statement-counter.js';
import { notifiedApp } from '../wakeups/notified-app.js';
import { startWaiting, waiting } from '../wakeups/waiting-workflow.js';
import { onServer } from './on-server.js';

const sleepers = 1000;
/** An upkeep each 9 to 11 s and a nonce each 15 s are 10 a minute; over one minute, those that just fit in would be a fifth more. */
const windowMs = 120_000;

export const notifiedIdle = onServer('notified-idle', async ({ openCounter, emptySchema }, { quick }) => {
  const counter = await openCounter();
  const schema = await emptySchema('notified_idle');
  const workflow = waiting(() => undefined);
  const romancy = await notifiedApp({ url: counter.countedUrl, schema, workflows: [workflow] });
  try {
    await startWaiting(romancy, sleepers, workflow);
    // What a process does once after its last run is over by then.
    await pause(3000);
    const perSecond = await countPerSecond(counter, quick ? 20_000 : windowMs);
    const what = `statements while ${sleepers.toLocaleString('en')} wait, with a notifier, ${counter.how}`;
    const target = { of: 'romancy', bound: 'at most', value: 0.2 } as const;
    return [ownRow({ what, unit: '1/s', target }, [perSecond])];
  } finally {
    await romancy.stop();
    await counter.close();
  }
});
