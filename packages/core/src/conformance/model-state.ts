// What can be seen of a storage from outside in the model test: its instances, what they have and had, the group and the outbox.
import type { OutboxRecord, Storage } from '../ports/index.js';
import { modelInstances, modelOutgoing, modelTopics } from './model-commands.js';
import type { ModelNames } from './model-names.js';
import { byId, viewEvent, viewHistory, viewMail, viewRecord } from './model-view.js';

/** Fit for comparison. @param now by the storage's clock. */
export async function modelState(storage: Storage, names: ModelNames, now: number): Promise<unknown> {
  const ids = Array.from({ length: modelInstances }, (_, index) => names.instance(index));
  const topics = Array.from({ length: modelTopics }, (_, index) => names.topic(index));
  return {
    instances: await Promise.all(ids.map((instanceId) => instanceState(storage, { instanceId, topics, now }))),
    finished: byId(await storage.instances.finished(ids)),
    members: await storage.messages.members(names.group),
    outbox: (await outbox(storage, names)).map((event) => viewEvent(event, now)),
  };
}

interface Sought {
  readonly instanceId: string;
  readonly topics: readonly string[];
  readonly now: number;
}

async function instanceState(storage: Storage, { instanceId, topics, now }: Sought): Promise<unknown> {
  const { instances, runs } = storage;
  const mail = topics.map((topic) => runs.mail({ instanceId, topic, afterMailId: null, limit: 1000 }));
  const record = await instances.get(instanceId);
  const before = record?.continuedFrom ?? null;
  return {
    record: viewRecord(record, now),
    history: viewHistory(await instances.history({ instanceId, afterSeq: 0, limit: 1000 }), now),
    mail: (await Promise.all(mail)).map(viewMail),
    // What it was, back to its beginning.
    before: before === null ? null : await instanceState(storage, { instanceId: before, topics, now }),
  };
}

function outbox(storage: Storage, names: ModelNames): Promise<readonly OutboxRecord[]> {
  const eventIds = Array.from({ length: modelOutgoing }, (_, index) => names.outgoing(index));
  return storage.outbox.list({
    status: undefined,
    eventIds,
    type: undefined,
    before: undefined,
    limit: 100,
    after: undefined,
  });
}
