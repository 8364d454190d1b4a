// The name by which notifiers and transactions know that they fit this storage.

export const storageKind = 'postgres';
