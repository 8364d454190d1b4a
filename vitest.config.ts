// One run over the tests of all packages, from source, with one PostgreSQL for all of them.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const source = ['@romancy/source', 'module', 'node', 'development|production'];

/** Those that take a minute or more begin first, or one of them would be at it alone when all others are through. */
const longOnes = [
  'packages/storage-postgres/test/engine-conformance.test.ts',
  'packages/storage-postgres/test/durability.test.ts',
  'packages/storage-postgres/test/conformance.test.ts',
  'packages/storage-sqlite/test/durability.test.ts',
  'apps/examples/orders/test/demo.test.ts',
  'apps/bench/test/measurements.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = longOnes.findIndex((path) => moduleId.endsWith(path));
      return rank === -1 ? longOnes.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/**/{src,test}/**/*.test.ts'],
    globalSetup: ['packages/test-support/src/global-setup.ts'],
    setupFiles: ['packages/test-support/src/each-file.ts'],
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Tests start processes of their own and share a database server: two files at once keep two cores busy.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
  },
});
