// One run over the tests of all packages, from source, with one PostgreSQL for all of them.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const source = ['@romancy/source', 'module', 'node', 'development|production'];

/** Those that take half a minute or more begin first, or one of them would be at it alone when all others are through. */
const longOnes = [
  'packages/storage-postgres/test/durability.test.ts',
  'packages/storage-postgres/test/engine-conformance.test.ts',
  'apps/examples/orders/test/demo-sqlite.test.ts',
  'apps/examples/orders/test/demo-postgres.test.ts',
  'apps/bench/test/measurements.test.ts',
  'packages/storage-sqlite/test/durability.test.ts',
  'packages/storage-postgres/test/conformance.test.ts',
];

/** What needs neither databases nor processes stands beside its source, but for the tests of the test support itself. */
const units = ['packages/*/src/**/*.test.ts', 'apps/**/src/**/*.test.ts'];
const notUnits = 'packages/test-support/src/**';

/** The units come last, all in a row: they share a process then, and leave none of two cores idle at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId, project }: TestSpecification): number => {
      if (project.name === 'units') return longOnes.length + 1;
      const rank = longOnes.findIndex((path) => moduleId.endsWith(path));
      return rank === -1 ? longOnes.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

/** What holds for the tests of both projects. */
export const shared = {
  pool: 'forks' as const,
  // Tests start processes of their own and share a database server: two files at once keep two cores busy.
  maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
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
          name: 'whole',
          include: [`${notUnits}/*.test.ts`, 'packages/*/test/**/*.test.ts', 'apps/**/test/**/*.test.ts'],
        },
      },
    ],
  },
});
