// Counts what a workflow costs its database, prints the table, and writes it into ARCHITECTURE.md.
import { readFile, writeFile } from 'node:fs/promises';
import { formatCosts, replaceTable } from './cost/cost-table.js';
import { measureAllCosts } from './cost/measure-all-costs.js';

/** Both from source and as it is built, this file lies in a folder of apps/bench. */
const architecture = new URL('../../../ARCHITECTURE.md', import.meta.url);

const table = formatCosts(await measureAllCosts());
process.stdout.write(`${table}\n`);
await writeFile(architecture, replaceTable(await readFile(architecture, 'utf8'), table));
