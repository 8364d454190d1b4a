// Runs beside every test file and clears away what was asked for outside of its tests.
import { afterAll } from 'vitest';
import { undoAll } from './afterwards.js';

afterAll(undoAll);
