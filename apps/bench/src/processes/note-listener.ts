// A process that hears all notes and does nothing with them, as one that serves none of the workflows does.
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { endWithParent, tellParent } from './tell-parent.js';

export interface NoteListenerSays {
  readonly ready: true;
}

const [connectionString = '', channelPrefix = ''] = process.argv.slice(2);
endWithParent();
await healthyNotifier({ connectionString, channelPrefix });
tellParent({ ready: true } satisfies NoteListenerSays);
