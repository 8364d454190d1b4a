// The errors that Romancy raises: each has a literal code, and the ids it speaks of as fields.
export * from './errors/call-errors.js';
export * from './errors/channel-errors.js';
export * from './errors/instance-errors.js';
export * from './errors/romancy-error.js';
export * from './errors/storage-errors.js';
export * from './errors/workflow-errors.js';
