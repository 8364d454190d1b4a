// The logger of those who want none.
import type { Logger } from '../ports/logger.js';

/** Writes nothing: `new Romancy({ logger: silentLogger, … })`. What goes wrong still shows on the instances and in `status()`. */
export const silentLogger: Logger = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});
