// PgBouncer in between: in transaction mode LISTEN breaks without an error, and the app lives with it.
import { createDatabase, hasPgBouncer, type PgBouncer, type PgBouncerOptions, startPgBouncer } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { startNotifier } from '../notifier-fixture.js';
import { fast } from './fast-profile.js';
import { openLedger } from './ledger.js';
import { healthyApp, startApp } from './start-app.js';

const transaction: PgBouncerOptions = { poolMode: 'transaction', poolSize: 5 };

async function bounced(options: PgBouncerOptions): Promise<{ readonly url: string; readonly bouncer: PgBouncer }> {
  const { url } = await createDatabase();
  return { url, bouncer: await startPgBouncer(url, options) };
}

describe.skipIf(!hasPgBouncer)(`behind PgBouncer${hasPgBouncer ? '' : ' (skipped: pgbouncer is not installed)'}`, () => {
  it('in transaction mode all work is found by polling at the usual pace', async () => {
    const { url, bouncer } = await bounced(transaction);
    const ledger = await openLedger(url);
    const from = await healthyApp({ url, workflows: [] });
    const notifier = { connectionString: bouncer.url };
    const app = await startApp({ url, notifier, workflowPollInterval: 100, timerPollInterval: 100 });
    await app.is('undeliverable', 4000);
    await ledger.start(from.romancy, 50, { pauseMs: 5 });
    await ledger.complete();
    expect(app.states).not.toContain('healthy');
  });

  it('becomes healthy by itself when the pooler is told to pool sessions', async () => {
    const { bouncer } = await bounced(transaction);
    const { is } = await startNotifier({ connectionString: bouncer.url, ...fast });
    await is('undeliverable', 4000);
    await bouncer.reload({ poolMode: 'session' });
    await is('healthy', 8000);
  });
});
