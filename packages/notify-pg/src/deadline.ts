// A moment by which something must have come, that does not mistake a process that slept for a server that is silent.
import type { Clock } from '@romancy/core/ports';

/** A timer that comes so long after its time says that this process slept, or was blocked. */
const oversleptMs = 200;

/**
 * Calls `onLate` after `ms` milliseconds, unless the function that it returns is called before. When the timer itself comes late, what is
 * waited for may lie in the socket, unread: then it starts once more.
 */
export function deadline(clock: Clock, ms: number, onLate: () => void): () => void {
  let cancel: () => void = () => undefined;
  const arm = (): void => {
    const dueAt = clock.monotonic() + ms;
    cancel = clock.schedule(ms, () => {
      if (clock.monotonic() - dueAt > oversleptMs) arm();
      else onLate();
    });
  };
  arm();
  return () => cancel();
}
