// What may stand on the command line.
import { fileURLToPath } from 'node:url';

export interface DemoOptions {
  /** The file with the orders. */
  readonly input: string;
  /** Undefined: SQLite. `embedded`: a PostgreSQL of the demo's own. Otherwise a connection string. */
  readonly postgres: string | undefined;
  /** The folder that keeps everything between two starts. */
  readonly data: string;
  readonly fresh: boolean;
  /** What the failures of the two services are drawn from. */
  readonly seed: number;
  readonly kill: boolean;
  /** On how many orders it is measured how soon they go on after their settlement, with notes and without; 0: not at all. */
  readonly measure: number;
}

/** Why the demo cannot run, in words that say all there is to say. */
export class DemoError extends Error {}

/** Of so many the 99th percentile is not yet the slowest one. */
const defaultMeasure = 120;
const mostMeasured = 1000;

const sample = fileURLToPath(new URL('../sample/orders.jsonl', import.meta.url));

export const help = `Runs orders through a durable workflow, kills its own worker in the middle, and shows that nothing is lost or done twice.

  --input FILE       orders as JSON Lines, such as {"id":"A-1","customer":"Ada","sku":"teapot","quantity":1,"card":"visa-4242"}
                     default: the 200 that ship with the example (${sample})
  --postgres [URL]   on PostgreSQL with two workers, in the schema romancy_orders; without a URL on a server that the demo brings along
                     default: on SQLite with one worker
  --data DIR         where everything is kept between two starts; default: .romancy-orders
  --fresh            forget what an earlier start has done, and begin anew
  --seed N           what goes wrong in the payment and parcel services, and when: a whole number; default: 1
  --no-kill          let the workers live
  --measure N        with --postgres: when all orders are through, run N more twice, with @romancy/notify-pg and by polling, and show how soon
                     an order goes on after its settlement; 0 leaves it out, 1000 at most; default: ${defaultMeasure}
  --help             this text

Cards that end in 0002 or 9995 are declined, those in 0341 are refused at the settlement, all others are good. Of more than four pieces the
parcel service makes no parcel: such an order is refunded.
After Ctrl-C the same command goes on where it was.`;

/** Undefined: help was asked for. @throws DemoError */
export function parseCommandLine(args: readonly string[]): DemoOptions | undefined {
  const options = {
    input: sample,
    postgres: undefined as string | undefined,
    data: '.romancy-orders',
    fresh: false,
    seed: 1,
    kill: true,
    measure: undefined as number | undefined,
  };
  // `--name=value` is `--name value`; a bare `--` comes from package managers.
  const words = args.filter((word) => word !== '--').flatMap((word) => /^(--[a-z-]+)=([^]*)$/.exec(word)?.slice(1) ?? [word]);
  const value = (): string | undefined => {
    const next = words[0];
    return next === undefined || next === '' || next.startsWith('--') ? undefined : words.shift();
  };
  const needed = (name: string, what: string): string => {
    const given = value();
    if (given === undefined) throw new DemoError(`${name} needs ${what}.`);
    return given;
  };
  for (let name = words.shift(); name !== undefined; name = words.shift()) {
    switch (name) {
      case '--help':
      case '-h':
        return undefined;
      case '--input':
        options.input = needed(name, 'a file with orders');
        break;
      case '--data':
        options.data = needed(name, 'a folder');
        break;
      case '--seed':
        options.seed = seedOf(needed(name, 'a whole number'));
        break;
      case '--postgres':
        options.postgres = postgresOf(value());
        break;
      case '--fresh':
        options.fresh = true;
        break;
      case '--no-kill':
        options.kill = false;
        break;
      case '--measure':
        options.measure = measureOf(needed(name, 'a number of orders'));
        break;
      default:
        throw new DemoError(
          `${name.startsWith('-') ? 'There is no option' : 'Nothing asked for'} ${name}; --help shows what there is.`,
        );
    }
  }
  if (options.measure !== undefined && options.postgres === undefined) {
    throw new DemoError('--measure needs --postgres: there is nothing to compare on SQLite, where work is found by polling.');
  }
  return { ...options, measure: options.measure ?? (options.postgres === undefined ? 0 : defaultMeasure) };
}

function measureOf(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > mostMeasured) {
    throw new DemoError(`--measure is ${text}; it takes a whole number from 0 to ${mostMeasured}.`);
  }
  return Number(text);
}

function seedOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new DemoError(`--seed is ${text}; it takes a whole number from 0.`);
  return Number(text);
}

function postgresOf(url: string | undefined): string {
  if (url === undefined) return 'embedded';
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new DemoError(`--postgres takes a URL such as postgres://user:password@localhost:5432/database, or nothing.`);
  }
  return url;
}
