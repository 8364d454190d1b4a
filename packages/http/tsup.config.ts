// Says what of this package is built; how is said once for all in tsup.base.ts.
import { library } from '../../tsup.base.js';

export default library({ index: 'src/index.ts', 'node/index': 'src/node/index.ts' });
