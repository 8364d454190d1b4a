// An app on a server, with a notifier that is healthy.
import { Romancy, silentLogger, type NotifierState, type RomancyOptions } from '@romancy/core';
import { createPgNotifier, type PgNotifierOptions } from '@romancy/notify-pg';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { until } from '../pause.js';

export interface NotifiedAppOptions extends Omit<RomancyOptions, 'storage' | 'notifier'> {
  readonly url: string;
  /** Of the storage, and what the names of the channels begin with. */
  readonly schema: string;
  /** Shown by the server for both sessions of the notifier. */
  readonly applicationName?: string;
  readonly onState?: (state: NotifierState) => void;
}

/** Started; resolves when its notifier is healthy. Whoever asks for it stops it. */
export async function notifiedApp({
  url,
  schema,
  applicationName,
  onState = () => undefined,
  ...options
}: NotifiedAppOptions): Promise<Romancy> {
  const where: PgNotifierOptions = { connectionString: url, channelPrefix: schema };
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString: url, schema }),
    notifier: createPgNotifier(applicationName === undefined ? where : { ...where, applicationName }),
    logger: silentLogger,
    hooks: { onNotifierStateChange: ({ state }) => onState(state) },
    ...options,
  });
  try {
    await romancy.start();
    await until('a healthy notifier', () => romancy.status().notifier?.state === 'healthy');
    return romancy;
  } catch (error) {
    await romancy.stop();
    throw error;
  }
}
