// Sees to it that a storage object serves one app at a time: the one that stops closes it, whoever else uses it.
import { ConfigurationError } from '../domain/errors.js';
import type { Storage } from '../ports/storage.js';

const users = new WeakMap<Storage, object>();

/** The app uses the storage from now on. Again: no effect. @throws ConfigurationError while another app uses it. */
export function takeStorage(storage: Storage, app: object): void {
  if (isTakenByOther(storage, app)) {
    throw new ConfigurationError(
      `storage (${storage.description}) serves another app of this process already; make one for each app, on the same database if you like`,
      { option: 'storage' },
    );
  }
  users.set(storage, app);
}

/** The app has closed the storage; without effect when it does not use it. */
export function giveBackStorage(storage: Storage, app: object): void {
  if (users.get(storage) === app) users.delete(storage);
}

export function isTakenByOther(storage: Storage, app: object): boolean {
  const user = users.get(storage);
  return user !== undefined && user !== app;
}
