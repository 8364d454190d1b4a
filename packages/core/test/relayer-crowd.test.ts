// Several relayers: each event once and in order, also when one of them dies, and claims by turns.
import { describe, expect, it } from 'vitest';
import { LeaseLostError } from '../src/domain/errors.js';
import { settleTurns } from '../src/testing/index.js';
import {
  announce,
  clock,
  database,
  held,
  leaseMs,
  newOutboxForEachTest,
  record,
  register,
  stage,
  until,
  write,
  type Stage,
} from './relayer-stage.js';

newOutboxForEachTest();

describe('two relayers', () => {
  it('send 10,000 events once each, in order per source', async () => {
    const both = [await stage(), await stage()];
    const order: string[] = [];
    for (const { sent } of both) {
      const push = sent.push.bind(sent);
      sent.push = (...ids) => {
        order.push(...ids);
        return push(...ids);
      };
    }
    const ids = Array.from({ length: 10_000 }, (_, index) => `${index % 25}:${String(index).padStart(5, '0')}`);
    const wakeups = ids.flatMap((id) => write([id], `source ${id.split(':')[0]!}`));
    for (const one of both) announce(one, wakeups.slice(0, 100), 'elsewhere');
    await until(() => order.length >= 10_000);
    await settleTurns(10);
    expect([...order].sort()).toEqual([...ids].sort());
    for (let source = 0; source < 25; source++) {
      const own = order.filter((id) => id.startsWith(`${source}:`));
      expect(own).toEqual([...own].sort());
    }
    expect(Math.min(...both.map(({ sent }) => sent.length))).toBeGreaterThan(500);
    expect([...database.outbox.values()].every(({ status, attempts }) => status === 'sent' && attempts === 1)).toBe(true);
  }, 30_000);

  it('of which one dies while it sends: the other sends it again after its lease, and the dead one records nothing', async () => {
    const sender = held();
    const dying = await stage({ send: sender.send, timeoutMs: null });
    announce(dying, write(['a1', 'a2'], 'a'));
    await settleTurns(5);
    expect(dying.sent).toEqual(['a1']);
    await clock.advance(20_000);
    const other = await stage();
    expect(other.sent).toEqual([]);
    await clock.advance(10_001);
    const { reaped } = await other.storage.leases.upkeep({
      workerId: other.workerId,
      renewal: { leaseMs, presence: null, workflowNames: [] },
      suspects: [],
    });
    expect(reaped).toMatchObject([{ workerId: dying.workerId }]);
    other.relayer.othersLeft();
    await settleTurns(8);
    expect(other.sent).toEqual(['a1', 'a2']);

    await sender.end('a1', new Error('late'));
    expect(dying.lost).toHaveLength(1);
    // It is back under another name, and still has nothing to say about what it had.
    await register(dying.storage, 'w1 again');
    dying.relayer.joined('w1 again');
    await settleTurns(8);
    expect(record('a1')).toEqual({ status: 'sent', attempts: 1, error: null, owner: null });
    expect(dying.told).toEqual([]);
    announce(dying, write(['b'], 'b'));
    await settleTurns(5);
    await sender.end('b');
    expect(record('b')).toMatchObject({ status: 'sent', attempts: 1 });
  });

  it('of which one loses its lease: what is being sent is aborted, and nothing of it is recorded', async () => {
    const sender = held();
    const one = await stage({ send: sender.send });
    announce(one, write(['a']));
    await settleTurns(5);
    one.relayer.left(new LeaseLostError({ workerId: one.workerId }));
    expect(sender.signals.get('a')?.aborted).toBe(true);
    await sender.end('a');
    expect(one.storage.count('outbox.settle')).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('many relayers', () => {
  const crowd = Array.from({ length: 12 }, (_, index) => `w${index + 1}`);
  const others = (own: number): readonly string[] => crowd.filter((id) => id !== `w${own}`);

  it('claim by turns what another process announced: two for each note, once the others have seen that they are not needed', async () => {
    const all: Stage[] = [];
    for (let own = 1; own <= 12; own++) all.push(await stage({ relayers: others(own) }));
    const claims = (): number => all.reduce((sum, { storage }) => sum + storage.count('outbox.claim'), 0);
    const note = async (id: string): Promise<void> => {
      const wakeups = write([id], id);
      for (const one of all) announce(one, wakeups, 'elsewhere');
      await clock.advance(1);
      expect(record(id).status).toBe('sent');
      await clock.advance(400);
    };
    for (let each = 0; each < 10; each++) await note(`first ${each}`);
    const before = claims();
    for (let each = 0; each < 32; each++) await note(`then ${each}`);
    // Two each, and what the ten others probe.
    expect(claims() - before).toBeGreaterThanOrEqual(64);
    expect(claims() - before).toBeLessThanOrEqual(64 + 10 * 3);
  });

  it('of which most have no place free, or are dead: those that can send claim soon all the same', async () => {
    const one = await stage({ relayers: others(1) });
    for (let each = 0; each < 40; each++) {
      announce(one, write([`e${each}`], `s${each}`), 'elsewhere');
      await clock.advance(200);
      expect(one.sent).toHaveLength(each + 1);
    }
  });
});
