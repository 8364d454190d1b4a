// Builds only what applications use: a throw-away PostgreSQL and its keeper, each a file of its own so that one can start the other.
import { application } from '../../tsup.base.js';

export default application({ 'start-postgres': 'src/start-postgres.ts', 'postgres-keeper': 'src/postgres-keeper.ts' });
