// The default logger: the console, without debug lines.
import type { Logger, LogFields } from '../ports/logger.js';

/* eslint-disable no-console -- this is the one place that is meant to write there */
export const consoleLogger: Logger = Object.freeze({
  debug: () => undefined,
  info: (message: string, fields?: LogFields) => console.info(`romancy: ${message}`, ...(fields === undefined ? [] : [fields])),
  warn: (message: string, fields?: LogFields) => console.warn(`romancy: ${message}`, ...(fields === undefined ? [] : [fields])),
  error: (message: string, fields?: LogFields) => console.error(`romancy: ${message}`, ...(fields === undefined ? [] : [fields])),
});
