// A process that hears all notes of a channel by the driver alone, and does nothing with them.
import pg from 'pg';
import { endWithParent, tellParent } from './tell-parent.js';

export interface RawNoteListenerSays {
  readonly ready: true;
}

const [connectionString = '', channel = ''] = process.argv.slice(2);
endWithParent();
const client = new pg.Client({ connectionString });
await client.connect();
client.on('notification', ({ payload = '' }) => void JSON.parse(payload));
await client.query(`LISTEN ${channel}`);
tellParent({ ready: true } satisfies RawNoteListenerSays);
