// Liveness and readiness, as load balancers and orchestrators ask for them.
import { jsonAnswer } from './answers.js';
import type { HttpApp } from './http-handler-options.js';

/** The process answers, so it lives. */
export function liveAnswer(): Response {
  return jsonAnswer(200, { live: true });
}

/**
 * 200 while the app runs and its storage answers, else 503. How the notifier does is told, and no more: without it all still works, later.
 */
export function readyAnswer(app: HttpApp): Response {
  const { state, storageAvailable, notifier } = app.status();
  const ready = state === 'running' && storageAvailable;
  const body = { ready, state, storage_available: storageAvailable };
  return jsonAnswer(ready ? 200 : 503, {
    ...body,
    ...(notifier === null || notifier === undefined ? {} : { notifier: { state: notifier.state } }),
  });
}
