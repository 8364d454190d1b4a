// Runs beside every test file: clears away what was asked for outside of its tests.
import { afterAll } from 'vitest';
import { undoAll } from './afterwards.js';
// A module of its own, since many files may share a process, and this one runs for each of them.
import './each-process.js';

afterAll(undoAll);
