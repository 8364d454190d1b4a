// What apps do with a notifier, as a suite that every notifier runs beside a storage that it can stand beside.
import { describe } from 'vitest';
import { resolveEngineOptions, type EngineConformanceOptions, type EngineFixture } from './engine-fixture.js';
import { createEngineBench } from './engine-harness.js';
import { talkCases } from './engine-talk-cases.js';
import { wakeupCases } from './engine-wakeup-cases.js';

/** An empty database with its storages and its notifiers. */
export type NotifierFixture = EngineFixture & Required<Pick<EngineFixture, 'notifier'>>;

/**
 * Defines, in the vitest file that calls it, the tests of what apps do with the notifiers of the fixture. Each asks the factory for an empty
 * database.
 * @param name what the tests are listed under.
 */
export function notifierConformance(
  name: string,
  factory: () => Promise<NotifierFixture>,
  options: EngineConformanceOptions = {},
): void {
  const resolved = resolveEngineOptions(options);
  describe(`the engine with ${name}`, { timeout: resolved.timeout }, () => wakeupCases(createEngineBench(factory, resolved)));
}

/**
 * The same for what workflows say to each other and to the outside: each app has a notifier of the fixture, and polls next to never, so that
 * what nobody is told of is late enough to be seen.
 */
export function notifiedConformance(
  name: string,
  factory: () => Promise<NotifierFixture>,
  options: EngineConformanceOptions = {},
): void {
  const resolved = resolveEngineOptions(options);
  const notified = async (): Promise<NotifierFixture> => ({ ...(await factory()), isNotified: true });
  describe(`workflows that talk, with ${name}`, { timeout: resolved.timeout }, () =>
    talkCases(createEngineBench(notified, resolved)),
  );
}
