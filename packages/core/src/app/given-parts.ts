// Checks that what a user plugs in is what it is plugged in for, at once and not at the first call.
import { ConfigurationError } from '../domain/errors.js';
import { namesOf } from '../domain/known-options.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Entropy } from '../ports/entropy.js';
import type { Hooks } from '../ports/hooks.js';
import type { Logger } from '../ports/logger.js';
import type { Notifier } from '../ports/notifier.js';
import type { Storage } from '../ports/storage.js';

/** What may be plugged in, each of it undefined when it is not. */
export interface GivenParts {
  readonly storage?: Storage;
  readonly notifier?: Notifier;
  readonly logger?: Logger;
  readonly hooks?: Hooks;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly codec?: Codec;
}

/** The functions that each must have; hooks have none that they must. */
const functions: { readonly [Part in keyof GivenParts]-?: readonly (keyof NonNullable<GivenParts[Part]>)[] } = {
  storage: ['open', 'close'],
  notifier: ['start', 'send', 'status', 'stop'],
  logger: ['debug', 'info', 'warn', 'error'],
  hooks: [],
  clock: ['now', 'monotonic', 'schedule'],
  entropy: ['random', 'uuid'],
  codec: ['encode', 'decode'],
};

const hints: { readonly [Part in keyof GivenParts]: string } = {
  storage: '; pass createSqliteStorage(…) or createPostgresStorage(…)',
  logger: ', such as console, or silentLogger for none',
};

const hookNames = namesOf<Hooks>({
  onWorkflowStart: true,
  onWorkflowEnd: true,
  onActivityStart: true,
  onActivityComplete: true,
  onActivityFail: true,
  onEventSent: true,
  onEventFailed: true,
  onNotifierStateChange: true,
});

/** @throws ConfigurationError naming the part and what it lacks. */
export function checkGivenParts(parts: GivenParts): void {
  for (const [part, names] of Object.entries(functions) as [keyof GivenParts, readonly string[]][]) {
    const given: unknown = parts[part];
    if (given !== undefined) checkPart(part, given, names);
  }
  if (parts.hooks !== undefined) checkHooks(parts.hooks);
}

function checkPart(part: keyof GivenParts, given: unknown, names: readonly string[]): void {
  const hint = hints[part] ?? '';
  if (typeof given !== 'object' || given === null) {
    const shown = given === null ? 'null' : typeof given;
    throw new ConfigurationError(`${part} is ${shown}; it takes an object${members(names)}${hint}`, { option: part });
  }
  for (const name of names) {
    if (typeof (given as Readonly<Record<string, unknown>>)[name] === 'function') continue;
    throw new ConfigurationError(`${part} has no function ${name}; it takes an object${members(names)}${hint}`, { option: part });
  }
}

/** A hook by a name that nobody calls would be missed for long. */
function checkHooks(hooks: Hooks): void {
  for (const name of Object.keys(hooks)) {
    if (!/^on[A-Z]/.test(name) || hookNames.has(name)) continue;
    throw new ConfigurationError(`hooks.${name} is no hook; there are ${[...hookNames].join(', ')}`, { option: `hooks.${name}` });
  }
  for (const name of hookNames) {
    const hook = (hooks as Readonly<Record<string, unknown>>)[name];
    if (hook === undefined || typeof hook === 'function') continue;
    throw new ConfigurationError(`hooks.${name} is ${hook === null ? 'null' : typeof hook}; it takes a function`, {
      option: `hooks.${name}`,
    });
  }
}

function members(names: readonly string[]): string {
  return names.length === 0 ? '' : ` with ${names.join(', ')}`;
}
