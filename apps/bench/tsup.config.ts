// Says what of this package is built; how is said once for all in tsup.base.ts.
import { application } from '../../tsup.base.js';

/** Processes that measurements start are files of their own. */
const processes = ['event-worker', 'note-listener', 'order-worker', 'raw-event-worker', 'raw-note-listener', 'talking-worker'];

export default application({
  main: 'src/main.ts',
  cost: 'src/cost.ts',
  plots: 'src/plots.ts',
  ...Object.fromEntries(processes.map((name) => [name, `src/processes/${name}.ts`])),
});
