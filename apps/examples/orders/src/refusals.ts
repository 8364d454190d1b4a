// Why an order cannot be filled although the article is there. Terminal errors: trying again would be of no use.
import { TerminalError } from '@romancy/core';

/** The card was refused: nothing was charged. */
export class CardDeclined extends TerminalError {}

/** The bank took back what it had authorised: nothing was paid. */
export class PaymentRefused extends TerminalError {}

/** Nobody carries it; it was paid already. */
export class ParcelRefused extends TerminalError {}

/** For the option `errors` of an app, so that one that comes back from the database is one. */
export const refusals = [CardDeclined, PaymentRefused, ParcelRefused] as const;
