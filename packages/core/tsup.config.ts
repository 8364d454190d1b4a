// Says what of this package is built; how is said once for all in tsup.base.ts.
import { library } from '../../tsup.base.js';

export default library({
  index: 'src/index.ts',
  'ports/index': 'src/ports/index.ts',
  'testing/index': 'src/testing/index.ts',
  'conformance/index': 'src/conformance/index.ts',
  'conformance/worker': 'src/conformance/durability-worker.ts',
});
