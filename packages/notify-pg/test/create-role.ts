// A role of its own for a test, beside the superuser that all else connects as.
import { afterwards } from '@romancy/test-support';
import pg from 'pg';

export interface TestRole {
  readonly name: string;
  /** Connects as that role. */
  readonly url: string;
}

/**
 * Dropped after the test, by when nobody may be connected as it.
 * @param options as CREATE ROLE takes them.
 */
export async function createRole(url: string, options = ''): Promise<TestRole> {
  const name = `${new URL(url).pathname.slice(1)}_role`;
  const administer = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await administer(`CREATE ROLE ${name} LOGIN PASSWORD 'x' ${options}`);
  afterwards(() => administer(`DROP ROLE ${name}`));
  return { name, url: Object.assign(new URL(url), { username: name, password: 'x' }).href };
}
