// A process that hears all notes of a channel by the driver alone, and does nothing with them.
import pg from 'pg';
import type { NoteListenerSays } from './note-listener.js';
import { endWithParent, tellParent } from './tell-parent.js';

const [connectionString = '', channel = ''] = process.argv.slice(2);
endWithParent();
const client = new pg.Client({ connectionString });
await client.connect();
client.on('notification', ({ payload = '' }) => void JSON.parse(payload));
await client.query(`LISTEN ${channel}`);
tellParent({ ready: true } satisfies NoteListenerSays);
