// Tells processes that run from those that have ended, as far as the system of this machine lets it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterwards, eventually } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { hasEnded, parseProcStat, thisProcess } from '../src/process-identity.js';

describe('a process', () => {
  it('knows itself, in the same words each time', async () => {
    const own = await thisProcess();
    expect(own.pid).toBe(process.pid);
    expect(await thisProcess()).toEqual(own);
    expect(await hasEnded(own)).toBe(false);
  });

  it.skipIf(process.platform === 'win32')('of the same number that started at another time is another one', async () => {
    expect(await hasEnded({ ...(await thisProcess()), startedAt: 'before' })).toBe(true);
    expect(await hasEnded({ ...(await thisProcess()), startedAt: null })).toBe(false);
  });

  it('that was killed has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    afterwards(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const { host } = await thisProcess();
    const identity = { host, pid: child.pid!, startedAt: null };
    expect(await hasEnded(identity)).toBe(false);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect(await hasEnded(identity)).toBe(true);
  });

  it.skipIf(process.platform === 'win32')('that has ended and was not buried has ended', async () => {
    // The shell becomes a program that never asks what became of the child that the shell had started.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    afterwards(() => void parent.kill('SIGKILL'));
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const { host } = await thisProcess();
    const zombie = { host, pid: Number(String(line)), startedAt: null };
    expect(await eventually(() => hasEnded(zombie))).toBe(true);
    // Its number is still taken.
    expect(process.kill(zombie.pid, 0)).toBe(true);
  });

  it('is read from /proc, whatever it calls itself', () => {
    const rest = Array.from({ length: 30 }, (_, index) => String(index + 4)).join(' ');
    expect(parseProcStat(`42 (a) b (c) S ${rest}`)).toEqual({ is: 'there', startedAt: '22' });
    expect(parseProcStat(`42 (node) R ${rest}`)).toEqual({ is: 'there', startedAt: '22' });
    for (const state of ['Z', 'X']) expect(parseProcStat(`42 (node) ${state} ${rest}`)).toEqual({ is: 'gone' });
  });
});
