// Refuses a server on which the statements of this package would not mean what they are meant to.
import { ConfigurationError } from '@romancy/core/ports';
import type { Database } from './database.js';
import { sql } from './sql.js';

const oldestVersion = 130_000;

/** @throws ConfigurationError naming what has to be set otherwise. */
export async function checkServer(database: Database): Promise<void> {
  const [row] = await database.rows(
    sql`SELECT current_setting('server_version_num'), current_setting('server_encoding'), current_setting('transaction_isolation')`,
  );
  const [version, encoding, isolation] = row!;
  if (Number(version) < oldestVersion) {
    throw refused('server_version', version, 'PostgreSQL 13 or newer');
  }
  if (encoding !== 'UTF8') throw refused('server_encoding', encoding, 'a database with encoding UTF8');
  // All statements go out in transactions of their own, with the default level. They rely on waiting for a locked row and then
  // reading its newest version; at a higher level each of these waits would end in a serialization failure instead.
  if (isolation !== 'read committed') {
    throw refused(
      'default_transaction_isolation',
      isolation,
      `'read committed' as the default of the role that Romancy uses (ALTER ROLE … SET default_transaction_isolation)`,
    );
  }
}

function refused(option: string, value: string | null | undefined, allowed: string): ConfigurationError {
  return new ConfigurationError(`the database's ${option} is ${value ?? 'unknown'}; Romancy takes ${allowed}`, { option });
}
