// Loggers that add fields, and that are silent while history is replayed.
import type { LogFields, Logger } from '../ports/logger.js';

/** A logger whose lines carry `fields`, and which writes nothing while `silent` says so. */
export function scopedLogger(logger: Logger, fields: LogFields, silent: () => boolean = never): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, more?: LogFields): void => {
      if (!silent()) logger[level](message, more === undefined ? fields : { ...fields, ...more });
    };
  return Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') });
}

function never(): boolean {
  return false;
}
