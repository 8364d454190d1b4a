// Calls into the user's logger and hooks, which must not be able to break anything.
import type { HookCaller } from '../engine/run-services.js';
import type { Hooks } from '../ports/hooks.js';
import type { LogFields, Logger } from '../ports/logger.js';

/** The logger, with whatever it throws thrown away: there is nowhere to say it. */
export function guardedLogger(logger: Logger): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void => {
      try {
        logger[level](message, fields);
      } catch {
        // A log line is never worth a workflow.
      }
    };
  return Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') });
}

/** Calls hooks; what they throw or reject with is logged. */
export function guardedHooks(hooks: Hooks, logger: Logger): HookCaller {
  const call: HookCaller['call'] = (name, event) => {
    const hook = hooks[name] as ((event: unknown) => void | Promise<void>) | undefined;
    if (hook === undefined) return;
    const failed = (error: unknown): void =>
      logger.warn(`hook ${name} failed`, {
        ...('instanceId' in event ? { instanceId: event.instanceId } : {}),
        error: String(error),
      });
    try {
      Promise.resolve(hook.call(hooks, event)).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  return Object.freeze({ has: (name: keyof Hooks) => hooks[name] !== undefined, call });
}
