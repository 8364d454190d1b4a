// What apps do with a notifier, as a suite that every notifier runs beside a storage that it can stand beside.
import { describe } from 'vitest';
import { resolveEngineOptions, type EngineConformanceOptions, type EngineFixture } from './engine-fixture.js';
import { createEngineBench } from './engine-harness.js';
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
