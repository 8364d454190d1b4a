// Draws what `pnpm bench --json FILE` has written, each plot as an SVG file.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawLinePlot } from './plots/line-plot.js';
import { plotsOf, type Results } from './plots/plots-of.js';

const [file, folder = 'plots'] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('pnpm bench:plots RESULTS.json [FOLDER]\n  draws what pnpm bench --json has written; FOLDER: plots\n');
  process.exitCode = 2;
} else {
  const results = JSON.parse(await readFile(file, 'utf8')) as Results;
  const plots = plotsOf(results);
  if (plots.size === 0) process.stderr.write(`${file} has nothing to draw\n`);
  else await mkdir(folder, { recursive: true });
  for (const [name, plot] of plots) {
    await writeFile(join(folder, name), drawLinePlot(plot));
    process.stdout.write(`${join(folder, name)}\n`);
  }
}
