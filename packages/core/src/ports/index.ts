// Everything an adapter needs: `@romancy/core/ports`.
export * from './activity-transaction.js';
export * from './clock.js';
export * from './codec.js';
export * from './entropy.js';
export * from './hooks.js';
export * from './instance-store.js';
export * from './lease-store.js';
export * from './logger.js';
export * from './notifier.js';
export * from './run-store.js';
export * from './storage.js';
export * from '../domain/errors.js';
export * from '../domain/history.js';
export * from '../domain/instance.js';
export { checkKnownOptions, namesOf } from '../domain/known-options.js';
export * from '../domain/wakeup.js';
