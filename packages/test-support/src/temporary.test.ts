// Shows that temporary files live as long as their test or their file.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { undoAll } from './afterwards.js';
import { temporaryDirectory, temporaryFile } from './temporary.js';

let ofFile: string;
let ofTest: string;

beforeAll(async () => {
  ofFile = await temporaryDirectory();
});

it('gives an empty place for a file', async () => {
  ofTest = await temporaryFile('a.db');
  expect(existsSync(ofTest)).toBe(false);
  await writeFile(ofTest, '');
  await writeFile(`${ofTest}-wal`, '');
});

it('has removed it after the test', () => {
  expect(existsSync(dirname(ofTest))).toBe(false);
  expect(existsSync(ofFile)).toBe(true);
});

it('removes the rest after the file', async () => {
  await undoAll();
  expect(existsSync(ofFile)).toBe(false);
});
