// Makes the notes of one connection late, and nothing else of it.
import type { ProxiedConnection } from '@romancy/test-support';

/** In their order; what comes from now on. */
export function delayNotes(connection: ProxiedConnection, delayMs: number): void {
  connection.toClient.delayMs = 0;
  connection.onFrame = ({ kind, bytes }) => {
    if (kind !== 'A') return 'pass';
    setTimeout(() => connection.inject(bytes), delayMs).unref();
    return 'drop';
  };
}
