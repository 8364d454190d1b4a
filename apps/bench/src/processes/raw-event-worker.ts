// The same by hand: on each note one row is claimed, in one commit, and that is told.
import pg from 'pg';
import { claimWait, type RawWaits } from '../raw/raw-waits.js';
import type { EventWorkerSays } from './event-worker.js';
import { endWithParent, tellParent } from './tell-parent.js';

/** In the words of the worker that it stands beside. */
export type RawEventWorkerSays = EventWorkerSays;

const say = (message: RawEventWorkerSays): void => tellParent(message);

const [connectionString = '', schema = ''] = process.argv.slice(2);
endWithParent();
const waits: RawWaits = { schema, channel: schema };
const listening = new pg.Client({ connectionString });
const working = new pg.Client({ connectionString });
await Promise.all([listening.connect(), working.connect()]);
listening.on('notification', ({ payload = '' }) => {
  void claimWait(working, waits, payload).then((isClaimed) => {
    if (isClaimed) say({ wentOn: payload, at: process.hrtime.bigint() });
  });
});
await listening.query(`LISTEN ${waits.channel}`);
say({ ready: true });
