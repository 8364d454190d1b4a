// A moment by which something must have come, that does not mistake a process that slept for a server that is silent.
import type { Clock } from '@romancy/core/ports';

/** A timer that comes so long after its time says that this process slept, or was blocked. */
const oversleptMs = 200;

/**
 * Calls `onLate` after `ms` milliseconds, unless the function that it returns is called before. When the timer itself comes late, what is
 * waited for may lie in the socket, unread: then it starts once more, and what comes of that counts, however late.
 */
export function deadline(clock: Clock, ms: number, onLate: () => void): () => void {
  let cancel: () => void = () => undefined;
  const arm = (onDue: (lateMs: number) => void): void => {
    const dueAt = clock.monotonic() + ms;
    cancel = clock.schedule(ms, () => onDue(clock.monotonic() - dueAt));
  };
  arm((lateMs) => {
    // Once: in a loop that is blocked again and again there would be no end to it.
    if (lateMs > oversleptMs) arm(onLate);
    else onLate();
  });
  return () => cancel();
}
