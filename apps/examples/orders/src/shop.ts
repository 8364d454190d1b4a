// Everything of one database that is there besides the workers: app, webhook, services; opened in this order and closed in the other.
import { randomUUID } from 'node:crypto';
import { Romancy, silentLogger } from '@romancy/core';
import { createActivities, type Activities } from './activities.js';
import { Child } from './child-process.js';
import { DemoError } from './command-line.js';
import { openDatabase, type DatabaseChoice } from './database.js';
import { createParcelClient } from './parcel-client.js';
import type { Notice } from './parcel-ledger.js';
import type { ParcelServiceSettings } from './parcel-service.js';
import { createPaymentClient } from './payment-client.js';
import type { Charge, Refund } from './payment-ledger.js';
import type { PaymentServiceSettings } from './payment-service.js';
import { refusals } from './refusals.js';
import { openSettlementWebhook } from './settlement-webhook.js';
import type { Stock } from './stock.js';

export interface Shop {
  readonly database: DatabaseChoice;
  /** Serves no workflow: it starts them, and asks for their ends. */
  readonly romancy: Romancy;
  readonly stock: Stock;
  readonly activities: Activities;
  readonly paymentsUrl: string;
  readonly parcelsUrl: string;
  readonly logFile: string;
  /** Rejects when a service ends by itself; never resolves. */
  readonly failed: Promise<never>;
  charges(): Promise<readonly Charge[]>;
  refunds(): Promise<readonly Refund[]>;
  /** The events that the parcel service got. */
  notices(): Promise<readonly Notice[]>;
  close(): Promise<void>;
}

export interface ShopOptions {
  readonly database: DatabaseChoice;
  /** Where the payment service keeps its charges, and the parcel service its parcels. */
  readonly paymentsFile: string;
  readonly parcelsFile: string;
  /** What goes wrong in the services; null: nothing does. */
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
    const { database, paymentsFile, parcelsFile, seed, logFile, onSettlement = () => undefined } = options;
    const { app, stock } = openDatabase(database);
    opened.push(() => stock.close());
    await stock.prepare();
    // What the app has to say is said by the demo itself.
    const romancy = new Romancy({ ...app, serviceName: 'orders-demo', errors: refusals, logger: silentLogger });
    opened.push(() => romancy.stop());
    await romancy.start();
    const token = randomUUID();
    const webhook = await openSettlementWebhook(romancy, { token, onSettlement });
    opened.push(() => webhook.close());
    signal.throwIfAborted();

    let isClosing = false;
    const open = (file: string, settings: object): Child<{ readonly url: string }> => {
      const service = new Child<{ readonly url: string }>({ file, settings, logFile });
      opened.push(() => {
        isClosing = true;
        return service.stop();
      });
      return service;
    };
    const payments = open('payment-service', {
      filename: paymentsFile,
      seed,
      shop: { url: webhook.url, token },
    } satisfies PaymentServiceSettings);
    const parcels = open('parcel-service', { filename: parcelsFile, seed } satisfies ParcelServiceSettings);
    const { url: paymentsUrl } = await payments.ready;
    const { url: parcelsUrl } = await parcels.ready;
    signal.throwIfAborted();

    const failed = Promise.race([
      payments.ended.then(() => 'The payment service'),
      parcels.ended.then(() => 'The parcel service'),
    ]).then(async (name) => {
      if (isClosing) return await new Promise<never>(() => undefined);
      throw new DemoError(`${name} has ended; ${logFile} may say why.`);
    });
    failed.catch(() => undefined); // for who is not interested
    const all = async <T>(url: string): Promise<readonly T[]> => (await (await fetch(url)).json()) as readonly T[];
    return {
      database,
      romancy,
      stock,
      activities: createActivities({
        stock,
        payments: createPaymentClient(paymentsUrl),
        parcels: createParcelClient(parcelsUrl),
      }),
      paymentsUrl,
      parcelsUrl,
      logFile,
      failed,
      charges: () => all<Charge>(`${paymentsUrl}/charges`),
      refunds: () => all<Refund>(`${paymentsUrl}/refunds`),
      notices: () => all<Notice>(`${parcelsUrl}/notices`),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
