// Shows what the bar writes into a terminal and into a file.
import { expect, it } from 'vitest';
import { ProgressBar, type Output } from '../src/progress-bar.js';

function output(terminal: { readonly isTTY?: true; readonly columns?: number }): { readonly out: Output; text(): string } {
  let text = '';
  const write = (chunk: string): boolean => {
    text += chunk;
    return true;
  };
  // The time is what changes from run to run.
  return { out: { ...terminal, write }, text: () => text.replace(/\d+\.\d s/g, '0.0 s') };
}

it('draws over itself in a terminal, below what is said', () => {
  const { out, text } = output({ isTTY: true, columns: 120 });
  const bar = new ProgressBar(out, 2);
  bar.say('hello');
  bar.tick('shipped');
  bar.say('in between');
  bar.tick('declined');
  bar.end();
  bar.say('goodbye');
  const half = `${'█'.repeat(15)}${'░'.repeat(15)} 1 of 2 orders: 1 shipped, 0.0 s`;
  const clear = '\r\u001b[2K';
  expect(text()).toBe(
    `hello\n${half}${clear}in between\n${half}${clear}${'█'.repeat(30)} 2 of 2 orders: 1 shipped, 1 declined, 0.0 s\ngoodbye\n`,
  );
});

it('never draws a line that a narrow terminal would break', () => {
  const { out, text } = output({ isTTY: true, columns: 20 });
  new ProgressBar(out, 10).tick('shipped');
  expect(text()).toHaveLength(19);
});

it('writes a line at each tenth elsewhere', () => {
  const { out, text } = output({});
  const bar = new ProgressBar(out, 20);
  bar.count('rejected');
  for (let count = 0; count < 4; count++) bar.tick('shipped');
  bar.end();
  expect(text()).toBe('2 of 20 orders: 1 rejected, 1 shipped, 0.0 s\n4 of 20 orders: 1 rejected, 3 shipped, 0.0 s\n');
});
