// Runs beside every test file: clears away what was asked for outside of its tests, and does not outlive the run.
import { afterAll } from 'vitest';
import { undoAll } from './afterwards.js';

afterAll(undoAll);

// A worker whose run was killed would otherwise go on to the end of its test. Its fixtures go with it.
process.once('disconnect', () => process.exit(1));
