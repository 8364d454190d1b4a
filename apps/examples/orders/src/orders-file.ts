// Reads orders from JSON Lines: one order a line; what is wrong is reported with its number and left out.
import type { Order } from './order.js';

export interface BadLine {
  /** From 1. */
  readonly number: number;
  /** What is wrong, and what would be right. */
  readonly problem: string;
}

export interface OrdersFile {
  readonly orders: readonly Order[];
  readonly badLines: readonly BadLine[];
}

/** Takes the text of a file. Blank lines are nothing. */
export function readOrders(text: string): OrdersFile {
  const orders: Order[] = [];
  const badLines: BadLine[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const number = index + 1;
    if (line.trim() === '') continue;
    try {
      const order = parseOrder(line);
      const before = lineOf.get(order.id);
      if (before !== undefined) throw new BadOrder(`order ${shown(order.id)} was on line ${before} already`);
      lineOf.set(order.id, number);
      orders.push(order);
    } catch (error) {
      if (!(error instanceof BadOrder)) throw error;
      badLines.push({ number, problem: error.message });
    }
  }
  return { orders, badLines };
}

class BadOrder extends Error {}

function parseOrder(line: string): Order {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadOrder(`${cut(line.trim())} is no JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadOrder(`${shown(value)} is no JSON object`);
  }
  const members = value as Readonly<Record<string, unknown>>;
  return {
    id: textOf(members, 'id'),
    customer: textOf(members, 'customer'),
    sku: textOf(members, 'sku'),
    quantity: quantityOf(members),
    card: textOf(members, 'card'),
  };
}

function textOf(members: Readonly<Record<string, unknown>>, name: string): string {
  const value = members[name];
  // Neither control characters nor halves of characters, which not every database could hold.
  if (typeof value !== 'string' || value.trim() === '' || value.length > 100 || /[\p{Cc}\p{Cs}]/u.test(value)) {
    throw new BadOrder(`${name} is ${shown(value)}; it takes 1 to 100 characters of text`);
  }
  return value;
}

function quantityOf({ quantity }: Readonly<Record<string, unknown>>): number {
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1 || quantity > 1000) {
    throw new BadOrder(`quantity is ${shown(quantity)}; it takes a whole number from 1 to 1000`);
  }
  return quantity;
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : cut(JSON.stringify(value));
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
