// The notes of one transaction, for a storage that sends them itself.
import type { NotesOf } from '@romancy/core/ports';
import type { ChannelNames } from './channel-names.js';
import { encodeWakeup } from './encode-wakeup.js';
import { NoteQueue } from './note-queue.js';

/** Equal ones once, and one for everything in place of very many: as after a commit. */
export function transactionNotes(channels: ChannelNames): NotesOf {
  return (wakeups) => {
    const queue = new NoteQueue();
    for (const wakeup of wakeups) queue.add(encodeWakeup(wakeup));
    return [...queue.take().notes].flatMap(([kind, payloads]) =>
      [...payloads].map((payload) => ({ channel: channels[kind], payload })),
    );
  };
}
