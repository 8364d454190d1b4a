// Options are checked at the call, and no password is ever shown.
import { describe, expect, it } from 'vitest';
import { createPostgresStorage, type PostgresPool, type PostgresStorageOptions } from '../src/index.js';

const connectionString = 'postgres://user:secret@db.example:6432/shop?sslmode=require';
const pool: PostgresPool = {
  connect: () => Promise.reject(new Error('not needed')),
  on: () => undefined,
  removeListener: () => undefined,
  options: { host: 'db.example', port: 5432, database: 'shop' },
};

describe('createPostgresStorage', () => {
  it.each<readonly [string, object]>([
    ['connectionString', {}],
    ['connectionString', { connectionString, pool }],
    ['connectionString', { connectionString: '' }],
    ['connectionString', { connectionString: 7 }],
    ['pool', { pool: {} }],
    ['schema', { connectionString, schema: '' }],
    ['schema', { connectionString, schema: 'pg_own' }],
    ['schema', { connectionString, schema: 'ü'.repeat(32) }],
    ['maxConnections', { connectionString, maxConnections: 2 }],
    ['maxConnections', { connectionString, maxConnections: 3.5 }],
    ['statementTimeout', { connectionString, statementTimeout: 10 }],
    ['statementTimeout', { connectionString, statementTimeout: Number.NaN }],
    ['migrate', { connectionString, migrate: 'no' }],
    ['applicationName', { connectionString, applicationName: 7 }],
    ['maxConnections', { pool, maxConnections: 20 }],
    ['applicationName', { pool, applicationName: 'shop' }],
    ['max', { connectionString, max: 20 }],
    ['', undefined as never],
    ['', null as never],
  ])('names the wrong option: %s', (option, options) => {
    const create = (): unknown => createPostgresStorage(options as PostgresStorageOptions);
    expect(create).toThrowError(expect.objectContaining({ code: 'CONFIGURATION', option }) as Error);
    expect(create).not.toThrowError(/secret/);
  });

  it('says where it stores, and connects to nothing yet', () => {
    expect(createPostgresStorage({ connectionString }).description).toBe('PostgreSQL at db.example:6432/shop, schema romancy');
    expect(createPostgresStorage({ pool, schema: 'own' }).description).toBe('PostgreSQL at db.example:5432/shop, schema own');
    expect(createPostgresStorage({ connectionString: 'dbname=x password=secret' }).description).toBe('PostgreSQL schema romancy');
  });

  it('closes before it was opened, and refuses calls', async () => {
    const storage = createPostgresStorage({ connectionString });
    await expect(storage.instances.get('x')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await storage.close();
    await storage.close();
  });
});
