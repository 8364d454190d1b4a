// One run over the tests of all packages, from source, with one PostgreSQL for all of them.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const source = ['@romancy/source', 'module', 'node', 'development|production'];

/**
 * Each of these has a process to itself. Those that take longest begin first, or one of them would be at it alone when all others are through; the last
 * ones measure what is in the memory of their process, or how soon it does something.
 */
const alone = [
  'packages/storage-postgres/test/durability.test.ts',
  'packages/storage-postgres/test/engine-conformance.test.ts',
  'apps/bench/test/measurements.test.ts',
  'packages/storage-sqlite/test/durability.test.ts',
  'packages/storage-postgres/test/conformance.test.ts',
  'packages/notify-pg/test/engine.test.ts',
  'packages/notify-pg/test/talk.test.ts',
  'packages/storage-sqlite/test/engine-conformance.test.ts',
  'packages/core/test/engine-conformance.test.ts',
  'packages/core/test/leaks.test.ts',
  'packages/core/test/recurrence.test.ts',
  'packages/core/test/wakeup-cost.test.ts',
  'packages/notify-pg/test/burst.test.ts',
  'packages/notify-pg/test/faults/sessions-ended.test.ts',
  'packages/storage-sqlite/test/event-loop.test.ts',
];

/** Of the others, too, the longest begin first. */
const longOnes = [
  'apps/examples/orders/test/demo-postgres.test.ts',
  'apps/examples/orders/test/demo-sqlite.test.ts',
  'apps/bench/test/cost.test.ts',
];

/** What needs neither databases nor processes stands beside its source, but for the tests of the test support itself. */
const units = ['packages/*/src/**/*.test.ts', 'apps/**/src/**/*.test.ts'];
const notUnits = 'packages/test-support/src/**';

/**
 * Those of one project in a row, since a process is kept only as long as the next file may share it. The units come last: they leave none of two cores
 * idle at the end.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const projects = ['alone', 'whole', 'units'];
    const longest = [...alone, ...longOnes];
    const rankOf = ({ moduleId, project }: TestSpecification): number => {
      const rank = longest.findIndex((path) => moduleId.endsWith(path));
      return projects.indexOf(project.name) * 1000 + (rank === -1 ? longest.length : rank);
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

/** What holds for the tests of all projects. */
export const shared = {
  pool: 'forks' as const,
  // Tests start processes of their own, share a database server, and wait for half of their time: three files at once keep two cores busy.
  maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
  testTimeout: 20_000,
  hookTimeout: 30_000,
  setupFiles: ['packages/test-support/src/each-file.ts'],
};

export const resolution = { resolve: { conditions: source }, ssr: { resolve: { conditions: source } } };

/** One PostgreSQL for all. */
export const withServer = { globalSetup: ['packages/test-support/src/global-setup.ts'] };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    maxWorkers: shared.maxWorkers,
    teardownTimeout: 20_000,
    projects: [
      {
        ...resolution,
        test: { ...shared, name: 'units', include: units, exclude: [notUnits, '**/node_modules/**'], isolate: false },
      },
      {
        ...resolution,
        test: {
          ...shared,
          ...withServer,
          name: 'alone',
          include: alone,
        },
      },
      {
        ...resolution,
        test: {
          ...shared,
          ...withServer,
          name: 'whole',
          isolate: false,
          exclude: [...alone, '**/node_modules/**'],
          include: [`${notUnits}/*.test.ts`, 'packages/*/test/**/*.test.ts', 'apps/**/test/**/*.test.ts'],
        },
      },
    ],
  },
});
