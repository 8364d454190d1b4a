// Once in each process that runs tests: it does not outlive the run, and complains of what is deprecated.
import { refuseDeprecated } from './refuse-deprecated.js';

// A worker whose run was killed would otherwise go on to the end of its test. Its fixtures go with it.
process.once('disconnect', () => process.exit(1));

process.on('warning', refuseDeprecated);
