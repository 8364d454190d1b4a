// Errors of a storage, and of a worker that lost its place in it.
import { RomancyError } from './romancy-error.js';

/** This process was declared dead (its lease ran out), so that its runs went to others; what it wanted to write was refused. */
export class LeaseLostError extends RomancyError {
  readonly code = 'LEASE_LOST';
  readonly workerId: string;
  constructor(fields: { workerId: string }) {
    super(
      `worker ${fields.workerId} was declared dead because its lease ran out; its runs go on elsewhere and nothing it still holds is written`,
    );
    this.workerId = fields.workerId;
  }
}

/**
 * The database could not be reached, or refused for a reason that passes: connection lost, too many connections, deadlock,
 * serialization failure, disk full, locked. It is not known whether the statement took effect; every transition of the
 * storage port can be repeated without harm.
 */
export class StorageUnavailableError extends RomancyError {
  readonly code = 'STORAGE_UNAVAILABLE';
}

/** The database's schema is of a version with which this code cannot work. */
export class SchemaVersionError extends RomancyError {
  readonly code = 'SCHEMA_VERSION';
}
