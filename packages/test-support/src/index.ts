// What tests of all packages share: databases, files, processes, ports, and waiting.
export { afterwards } from './afterwards.js';
export { collectGarbage } from './collect-garbage.js';
export { compileFixture } from './compile-fixture.js';
export { createDatabase, type TestDatabase } from './create-database.js';
export { eventually, type EventuallyOptions } from './eventually.js';
export { freePort } from './free-port.js';
export { type Exit, FixtureProcess, spawnFixture } from './spawn-fixture.js';
export { startPostgres, type PostgresCluster, type PostgresClusterOptions } from './start-postgres.js';
export { temporaryDirectory, temporaryFile } from './temporary.js';
