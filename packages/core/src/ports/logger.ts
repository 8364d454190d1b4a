// Where log lines go.

/** Structured fields of a log line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Fits `console` by shape, and pino or winston through two lines of code. A logger that throws is ignored. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
