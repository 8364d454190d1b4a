// What may be said on the command line.
import { parseArgs } from 'node:util';

export interface CommandLine {
  /** Fewer and smaller rounds. */
  readonly quick: boolean;
  /** Names of measurements; all of them when undefined. */
  readonly only: readonly string[] | undefined;
  readonly storages: readonly ('postgres' | 'sqlite')[];
  /** A server that is there already. */
  readonly postgres: string | undefined;
  /** Where the folder for SQLite is made. */
  readonly directory: string | undefined;
  readonly json: string | undefined;
  /** Exit code 1 when a target is missed. */
  readonly assert: boolean;
}

export const usage = `pnpm bench [options]
  --quick              fewer and smaller rounds: for a first look, not for figures
  --only NAME,...      throughput, latency, cancel, timers, messages, history, replay, idle;
                       on PostgreSQL alone: note-round-trip, wake-up, writers, notified-idle, reconnect, silent-drop, herd, stop, takeover,
                       workers, backlog, many-timers
  --storage NAME,...   postgres, sqlite (default: both)
  --postgres URL       this database instead of a server started for the run; schemas romancy_bench_* are made and dropped
  --directory DIR      where SQLite's files go (default: the folder for temporary files); should be on a disk
  --json FILE          also write the results there
  --assert             exit code 1 when a target is missed`;

/** @throws TypeError or RangeError that says what is wrong. */
export function parseCommandLine(args: readonly string[], names: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      storage: { type: 'string' },
      postgres: { type: 'string' },
      directory: { type: 'string' },
      json: { type: 'string' },
      assert: { type: 'boolean', default: false },
    },
  });
  return {
    quick: values.quick,
    only: values.only === undefined ? undefined : oneOf('--only', values.only, names),
    storages: values.storage === undefined ? ['postgres', 'sqlite'] : oneOf('--storage', values.storage, ['postgres', 'sqlite']),
    postgres: values.postgres,
    directory: values.directory,
    json: values.json,
    assert: values.assert,
  };
}

function oneOf<T extends string>(option: string, list: string, allowed: readonly T[]): readonly T[] {
  return list.split(',').map((name) => {
    const found = allowed.find((each) => each === name.trim());
    if (found === undefined)
      throw new RangeError(`${option} takes ${allowed.join(', ')}; ${JSON.stringify(name)} is none of them`);
    return found;
  });
}
