// A logger that keeps its lines, so that tests can look at them.
import type { LogFields, Logger } from '../ports/logger.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** A shallow copy of what was given; empty when nothing was. */
  readonly fields: LogFields;
}

export interface RecordingLogger extends Logger {
  /** All lines so far, oldest first. */
  readonly lines: readonly LogLine[];
  /** Those of one level. */
  at(level: LogLevel): readonly LogLine[];
  /** Those whose message holds the text or fits the expression. */
  matching(message: string | RegExp): readonly LogLine[];
  /** Forgets all lines. */
  clear(): void;
}

export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  const record = (level: LogLevel) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  return {
    lines,
    at: (level) => lines.filter((line) => line.level === level),
    matching: (message) =>
      lines.filter((line) => (typeof message === 'string' ? line.message.includes(message) : message.test(line.message))),
    clear: () => void lines.splice(0),
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}
