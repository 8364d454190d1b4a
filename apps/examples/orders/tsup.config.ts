// Says what of this package is built; how is said once for all in tsup.base.ts. Workers and the two services are processes of their own.
import { application } from '../../../tsup.base.js';

export default application({
  main: 'src/main.ts',
  worker: 'src/worker.ts',
  'payment-service': 'src/payment-service.ts',
  'parcel-service': 'src/parcel-service.ts',
});
