// What is said to show each rule, fault and figure is there under its name.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);

it('each rule and each fault is shown by a test that is there, and each figure by a measurement', async () => {
  const text = await readFile(new URL('../RULES.md', import.meta.url), 'utf8');
  const shown = [...text.matchAll(/^ {2}- `([^`]+)`: (.+)$/gm)].map(([, path, title]) => ({ path: path!, title: title! }));
  // As many as there are lines of that kind, and none of the rules stands alone.
  const lines = text.split('\n');
  expect(shown).toHaveLength(lines.filter((line) => /^ {2}-/.test(line)).length);
  lines.forEach((line, at) => {
    if (line.startsWith('- ')) expect(lines[at + 1], line).toMatch(/^ {2}- `/);
  });
  const missing: string[] = [];
  for (const { path, title } of shown) {
    const source = await readFile(new URL(path, root), 'utf8').catch(() => '');
    // In quotes, as the name of a test, or a part of the row of a table.
    const isThere = path.startsWith('apps/bench/') ? source.includes(title) : new RegExp(`['"\`]${escaped(title)}`).test(source);
    if (!isThere) missing.push(`${path}: ${title}`);
  }
  expect(missing).toEqual([]);
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
