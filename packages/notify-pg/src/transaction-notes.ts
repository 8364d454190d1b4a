// The notes of one transaction, for a storage that sends them itself.
import type { NotesOf } from '@romancy/core/ports';
import type { ChannelNames } from './channel-names.js';
import { NoteQueue, notesOf } from './note-queue.js';

/** Equal ones once, and one for everything in place of very many: as after a commit. */
export function transactionNotes(channels: ChannelNames): NotesOf {
  return (wakeups) => {
    const queue = new NoteQueue();
    for (const wakeup of wakeups) queue.add(wakeup);
    return notesOf(queue.take()).flatMap(([kind, payloads]) => payloads.map((payload) => ({ channel: channels[kind], payload })));
  };
}
