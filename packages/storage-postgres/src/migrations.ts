// The versions of the schema, oldest first. A version that was published is never changed; what comes later is a further one.
import { createClaimFunction } from './claim-function.js';
import { createCommitFunction } from './commit-function.js';
import { createCommitRunsFunction } from './commit-runs-function.js';
import { createDeliverFunction } from './deliver-function.js';
import { createEffectsFunctions } from './effects-functions.js';
import { createEventFunctions } from './event-functions.js';
import { createFixModeFunction } from './fix-mode-function.js';
import { createMailFunctions } from './mail-functions.js';
import { messageTables } from './message-tables.js';
import { createOutboxFunctions } from './outbox-functions.js';
import { outboxTable } from './outbox-table.js';
import { createPurgeFunctions } from './purge-functions.js';
import { createQueueFunctions } from './queue-functions.js';
import { createRecurFunctions } from './recur-functions.js';
import { runTables } from './run-tables.js';
import type { TableNames } from './table-names.js';
import { createUpkeepFunction } from './upkeep-function.js';

export interface Migration {
  readonly version: number;
  readonly name: string;
  /**
   * The oldest version whose code can work beside this one. Equal to `version` when older code would do harm: it then refuses to open
   * and to register, and running older processes are to be stopped first.
   */
  readonly requires: number;
  /** Statements, separated by semicolons. */
  readonly statements: (tables: TableNames) => string;
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'initial',
    requires: 1,
    statements: (t) => `
${runTables(t)}
${messageTables(t)}
${outboxTable(t)}
${functionsOf(t)}
    `,
  },
];

/** Each after those that it calls, for whoever reads them; PostgreSQL looks for them at the first call. */
function functionsOf(t: TableNames): string {
  const functions = [
    createMailFunctions(t),
    createQueueFunctions(t),
    createEventFunctions(t),
    createEffectsFunctions(t),
    createRecurFunctions(t),
    createCommitFunction(t),
    createCommitRunsFunction(t),
    createClaimFunction(t),
    createUpkeepFunction(t),
    createDeliverFunction(t),
    createFixModeFunction(t),
    createOutboxFunctions(t),
    createPurgeFunctions(t),
  ];
  return functions.join(';\n');
}

/** The version that this code makes and knows. */
export const schemaVersion = migrations.at(-1)!.version;
