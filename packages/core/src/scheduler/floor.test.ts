// Who of two lanes may tell its runs what was committed, and for how long the other one waits.
import { expect, test } from 'vitest';
import { hop } from '../engine/hop.js';
import { Floor, type FloorTurn } from './floor.js';

/** Takes it; what is given tells whether it was had. */
function taking(floor: Floor): { readonly hasIt: () => boolean; readonly turn: Promise<FloorTurn> } {
  let has = false;
  const turn = floor.take().then((taken) => {
    has = true;
    return taken;
  });
  return { hasIt: () => has, turn };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await hop();
}

test('the floor is had at once while nobody has it', async () => {
  const first = taking(new Floor());
  await Promise.resolve();
  await Promise.resolve();
  expect(first.hasIt()).toBe(true);
});

test('another lane has it a turn after the first one has sent, and not in the same', async () => {
  const floor = new Floor();
  const { turn } = taking(floor);
  const { sent } = await turn;
  const second = taking(floor);
  await Promise.resolve();
  sent();
  await Promise.resolve();
  expect(second.hasIt()).toBe(false);
  await turns(1);
  expect(second.hasIt()).toBe(true);
});

test('a lane that sends nothing keeps it for a few turns, and those who wait have it one after the other', async () => {
  const floor = new Floor();
  await taking(floor).turn;
  const others = [taking(floor), taking(floor)];
  await turns(2);
  expect(others.map(({ hasIt }) => hasIt())).toEqual([false, false]);
  await turns(4);
  expect(others.map(({ hasIt }) => hasIt())).toEqual([true, false]);
  await turns(6);
  expect(others.map(({ hasIt }) => hasIt())).toEqual([true, true]);
});

test('what is sent behind the end of a turn does not end the turn of another lane', async () => {
  const floor = new Floor();
  const { sent } = await floor.take();
  await turns(5);
  await floor.take();
  sent();
  const third = taking(floor);
  await turns(2);
  expect(third.hasIt()).toBe(false);
  await turns(4);
  expect(third.hasIt()).toBe(true);
});
