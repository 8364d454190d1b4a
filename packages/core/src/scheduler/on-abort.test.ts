// Many callbacks wait at one signal without a listener each.
import { expect, it, vi } from 'vitest';
import { onAbort } from './on-abort.js';

it('calls back when the signal aborts, once, and at once when it has', () => {
  const controller = new AbortController();
  const [before, twice, after] = [vi.fn(), vi.fn(), vi.fn()];
  onAbort(controller.signal, before);
  onAbort(controller.signal, twice);
  onAbort(controller.signal, twice);
  controller.abort();
  controller.abort();
  onAbort(controller.signal, after);
  expect([before, twice, after].map((callback) => callback.mock.calls.length)).toEqual([1, 2, 1]);
});

it('does not call back who has been taken back, also while others are called', () => {
  const controller = new AbortController();
  const [taken, late] = [vi.fn(), vi.fn()];
  const takeBack = onAbort(controller.signal, taken);
  takeBack();
  takeBack();
  let takeLateBack: () => void = () => undefined;
  onAbort(controller.signal, () => takeLateBack());
  takeLateBack = onAbort(controller.signal, late);
  controller.abort();
  expect(taken).not.toHaveBeenCalled();
  expect(late).not.toHaveBeenCalled();
});

it('puts one listener on a signal, whoever waits', () => {
  const controller = new AbortController();
  const added = vi.spyOn(controller.signal, 'addEventListener');
  for (let round = 0; round < 100; round++) onAbort(controller.signal, () => undefined)();
  for (let round = 0; round < 100; round++) onAbort(controller.signal, () => undefined);
  expect(added).toHaveBeenCalledTimes(1);
});
