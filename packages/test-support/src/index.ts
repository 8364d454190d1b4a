// What tests of all packages share: databases, files, processes, ports, and waiting.
export { afterwards } from './afterwards.js';
export { collectGarbage } from './collect-garbage.js';
export { compileFixture } from './compile-fixture.js';
export { createDatabase, type TestDatabase } from './create-database.js';
export { eventually, type EventuallyOptions } from './eventually.js';
export { freePort } from './free-port.js';
export type { FlowMode } from './flow.js';
export { hasPgBouncer, PgBouncer, type PgBouncerOptions, startPgBouncer } from './pgbouncer.js';
export { findPostgresBinaries } from './postgres-binaries.js';
export { type BackendFrame, type Notification, readNotification, writeNotification } from './postgres-frames.js';
export type { FrameFate, ProxiedConnection } from './proxied-connection.js';
export { SchemaStock, type TestSchema } from './schema-stock.js';
export { shareDatabase, type SharedDatabase } from './share-database.js';
export { type Exit, FixtureProcess, spawnFixture } from './spawn-fixture.js';
export { startPostgres, type PostgresCluster, type PostgresClusterOptions, type ShutdownMode } from './start-postgres.js';
export { type Admission, startTcpProxy, type TcpProxy } from './tcp-proxy.js';
export { temporaryDirectory, temporaryFile } from './temporary.js';
