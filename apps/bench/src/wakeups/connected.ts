// Two clients of the driver alone, closed again whatever happens.
import pg from 'pg';

/** Connects both, lets `work` use them, and ends them. */
export async function connected<T>(url: string, work: (one: pg.Client, other: pg.Client) => Promise<T>): Promise<T> {
  const [one, other] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  try {
    await Promise.all([one.connect(), other.connect()]);
    return await work(one, other);
  } finally {
    await Promise.all([one, other].map((client) => client.end().catch(() => undefined)));
  }
}
