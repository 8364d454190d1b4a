// Cases: workers, senders and deaths in a random dance, after which every event was received exactly once.
import { describe, expect, it } from 'vitest';
import { LeaseLostError, type ClaimedRun, type Entropy, type Mail, type RunSignals } from '../ports/index.js';
import { seededEntropy } from '../testing/index.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { cancelled, complete, newEntry, ofClaim, park, release, type TestWorker } from './test-worker.js';

const instanceCount = 12;
const eventsPerSender = 120;
const workerCount = 4;
const mailLimit = 4;
/** Far more rounds than a worker or a run ever needs. */
const roundLimit = 5000;
/** The last event of each instance, after which it completes. */
const endOfMail = '"end"';

/** What the test knows, against which the storage is held. */
interface Ledger {
  readonly entropy: Entropy;
  /** `instance event` of all that was said to be delivered. */
  readonly owed: Set<string>;
  /** Which worker holds an instance: from its claim until just before it gives it up. */
  readonly holders: Map<string, string>;
  readonly ended: Set<string>;
}

export function interleavingCases(bench: Bench): void {
  const { seed } = bench.options;
  describe('random interleavings', () => {
    it(`of workers, senders, cancellations and deaths lose and double nothing (seed ${seed})`, async () => {
      const harness = await bench.harness();
      const ids = Array.from({ length: instanceCount }, (_, index) => `one-${index}`);
      const looker = await harness.worker();
      await looker.start(ids, { owned: false });
      const ledger: Ledger = { entropy: seededEntropy(seed), owed: new Set(), holders: new Map(), ended: new Set() };

      const senders = Promise.all([send(harness, ids, ledger), send(harness, ids, ledger)]).then(() =>
        endAll(harness, ids, ledger),
      );
      await Promise.all([senders, ...Array.from({ length: workerCount }, () => work(harness, ledger))]);

      for (const id of ids) {
        const { status, cancelRequested, owner } = await harness.get(id);
        const received = (await looker.history(id)).map((entry) => `${id} ${entry.data}`);
        const owed = [...ledger.owed].filter((piece) => piece.startsWith(`${id} `));
        expect({ status, owner }).toEqual({ status: cancelRequested ? 'cancelled' : 'completed', owner: null });
        expect(new Set(received).size).toBe(received.length);
        // A cancelled end takes what had not been received along with it; nothing else may be missing.
        if (cancelRequested) expect(received.filter((piece) => !ledger.owed.has(piece))).toEqual([]);
        else expect([...received].sort()).toEqual(owed.sort());
      }
    });
  });
}

/** Sends events, some of them twice at once, and cancels now and then. */
async function send(harness: StorageHarness, ids: readonly string[], ledger: Ledger): Promise<void> {
  const storage = await harness.open();
  for (let n = 0; n < eventsPerSender; n++) {
    const target = ids[Math.floor(ledger.entropy.random() * ids.length)]!;
    const event = harness.event({ targetInstanceId: target });
    const twice = ledger.entropy.random() < 0.3 ? [event, event] : [event];
    const answers = await Promise.all(twice.map((same) => storage.messages.deliver(same)));
    const delivered = answers.filter(({ outcome }) => outcome === 'delivered');
    expect(delivered.length).toBeLessThanOrEqual(1);
    if (delivered.length === 1) ledger.owed.add(`${target} ${event.data}`);
    if (ledger.entropy.random() < 0.02) await storage.instances.requestCancel({ instanceId: target, reason: null });
    await turn(ledger.entropy);
  }
}

async function endAll(harness: StorageHarness, ids: readonly string[], ledger: Ledger): Promise<void> {
  for (const id of ids) {
    const { outcome } = await harness.deliver({ targetInstanceId: id, data: endOfMail });
    if (outcome === 'delivered') ledger.owed.add(`${id} ${endOfMail}`);
  }
}

/** Claims, executes, and dies from time to time, until all instances have ended. */
async function work(harness: StorageHarness, ledger: Ledger): Promise<void> {
  const storage = await harness.open();
  let worker = await harness.worker({ storage });
  for (let round = 0; ledger.ended.size < instanceCount; round++) {
    if (round > roundLimit) throw new Error(`${instanceCount - ledger.ended.size} instances never came to their end`);
    const { claimed } = await worker.claim({ limit: 3, mailLimit });
    for (const run of claimed) {
      expect(ledger.holders.get(run.instanceId)).toBeUndefined();
      ledger.holders.set(run.instanceId, worker.workerId);
    }
    if (ledger.entropy.random() < 0.05) {
      // From the death on anybody may hold them.
      for (const run of claimed) ledger.holders.delete(run.instanceId);
      await worker.retire();
      await expect(worker.settle(...claimed.map((run) => ofClaim(run.claim, park(run.instanceId))))).rejects.toBeInstanceOf(
        LeaseLostError,
      );
      worker = await harness.worker({ storage });
    } else {
      await Promise.all(claimed.map((run) => execute(worker, ledger, run)));
    }
    if (claimed.length === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}

/** Receives all mail of one run, then ends it or puts it away. */
async function execute(worker: TestWorker, ledger: Ledger, run: ClaimedRun): Promise<void> {
  const { instanceId, claim } = run;
  let seq = run.history.at(-1)?.seq ?? 0;
  let last: Mail | undefined;
  for (let { mail, cancel }: RunSignals = run; ;) {
    const entries = mail.map(({ data }) => newEntry(instanceId, ++seq, { kind: 'event_received', data }));
    await worker.commit({ entries, takenMail: mail.map(({ mailId }) => ({ instanceId, mailId })) });
    last = mail.at(-1) ?? last;
    await turn(ledger.entropy);
    // As much as was asked for may not have been all.
    if (mail.length < mailLimit || cancel !== null) {
      const over = cancel !== null || last?.data === endOfMail;
      const ending = cancel === null ? complete(instanceId) : cancelled(instanceId);
      const pause = ledger.entropy.random() < 0.7 ? park(instanceId) : release(instanceId);
      // Given up in the ledger before the commit, since another worker may claim it before this one hears that it is free.
      ledger.holders.delete(instanceId);
      const { refused } = await worker.settle(ofClaim(claim, over ? ending : pause));
      if (refused.length === 0) {
        if (over) ledger.ended.add(instanceId);
        return;
      }
      ledger.holders.set(instanceId, worker.workerId);
    }
    const [signals] = await worker.signals(instanceId, mailLimit);
    ({ mail, cancel } = signals!);
  }
  throw new Error(`${instanceId} could never be put away or ended`);
}

/** Lets others go first, now and then. */
async function turn(entropy: Entropy): Promise<void> {
  if (entropy.random() < 0.3) await new Promise<void>((resolve) => void setImmediate(resolve));
}
