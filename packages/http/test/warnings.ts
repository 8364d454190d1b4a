// What the runtime warns of, most of all of listeners that nobody takes away.
import { afterwards } from '@romancy/test-support';

/** Grows until the test ends. */
export function warnings(): readonly string[] {
  const warned: string[] = [];
  const onWarning = ({ message }: Error): void => void warned.push(message);
  process.on('warning', onWarning);
  afterwards(() => void process.off('warning', onWarning));
  return warned;
}
