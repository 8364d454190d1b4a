// Everything of one database that is there besides the workers: app, webhook, payment service; opened in this order and closed in the other.
import { Romancy, silentLogger } from '@romancy/core';
import { createActivities, type Activities } from './activities.js';
import { Child } from './child-process.js';
import { DemoError } from './command-line.js';
import { openDatabase, type DatabaseChoice } from './database.js';
import { createPaymentClient } from './payment-client.js';
import type { Charge } from './payment-ledger.js';
import type { PaymentServiceSettings } from './payment-service.js';
import { openSettlementWebhook } from './settlement-webhook.js';
import type { Stock } from './stock.js';

export interface Shop {
  readonly database: DatabaseChoice;
  /** Serves no workflow: it starts them, and asks for their ends. */
  readonly romancy: Romancy;
  readonly stock: Stock;
  readonly activities: Activities;
  readonly paymentsUrl: string;
  readonly logFile: string;
  /** Rejects when the payment service ends by itself; never resolves. */
  readonly failed: Promise<never>;
  charges(): Promise<readonly Charge[]>;
  close(): Promise<void>;
}

export interface ShopOptions {
  readonly database: DatabaseChoice;
  /** Where the payment service keeps its charges. */
  readonly paymentsFile: string;
  /** What goes wrong in the payment service; null: nothing does. */
  readonly seed: number | null;
  readonly logFile: string;
  /** Told of each settlement before its event is sent. */
  readonly onSettlement?: (instanceId: string) => void;
}

/** @param signal stops it halfway; what is open by then is closed again. @throws DemoError */
export async function openShop(options: ShopOptions, signal: AbortSignal): Promise<Shop> {
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo !== undefined; undo = opened.pop()) await undo();
  };
  try {
    const { database, paymentsFile, seed, logFile, onSettlement = () => undefined } = options;
    const { app, stock } = openDatabase(database);
    opened.push(() => stock.close());
    await stock.prepare();
    // What the app has to say is said by the demo itself.
    const romancy = new Romancy({ ...app, serviceName: 'orders-demo', logger: silentLogger });
    opened.push(() => romancy.stop());
    await romancy.start();
    const webhook = await openSettlementWebhook(romancy, onSettlement);
    opened.push(() => webhook.close());
    signal.throwIfAborted();

    const settings: PaymentServiceSettings = { filename: paymentsFile, seed, webhookUrl: webhook.url };
    const service = new Child<{ readonly url: string }>({ file: 'payment-service', settings, logFile });
    let isClosing = false;
    opened.push(() => {
      isClosing = true;
      return service.stop();
    });
    const { url: paymentsUrl } = await service.ready;
    signal.throwIfAborted();

    const failed = service.ended.then(async () => {
      if (isClosing) return await new Promise<never>(() => undefined);
      throw new DemoError(`The payment service has ended; ${logFile} may say why.`);
    });
    failed.catch(() => undefined); // for who is not interested
    return {
      database,
      romancy,
      stock,
      activities: createActivities({ stock, payments: createPaymentClient(paymentsUrl) }),
      paymentsUrl,
      logFile,
      failed,
      charges: async () => (await (await fetch(`${paymentsUrl}/charges`)).json()) as readonly Charge[],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
