// Says what of this package is built; how is said once for all in tsup.base.ts.
import { application } from '../../tsup.base.js';

export default application({ main: 'src/main.ts' });
