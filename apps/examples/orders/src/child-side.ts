// What the child processes of the demo have in common: how they get their settings, and when they are to end.

const variable = 'ROMANCY_ORDERS_SETTINGS';

/** The environment in which a child finds its settings; not its arguments, which every user of the machine could read. */
export function settingsEnvironment(settings: object): NodeJS.ProcessEnv {
  return { ...process.env, [variable]: JSON.stringify(settings) };
}

export function readSettings<T>(): T {
  const text = process.env[variable];
  if (text === undefined) throw new Error('This file is started by main.js');
  return JSON.parse(text) as T;
}

/** What a child tells its parent: once that it is ready, then whatever else there is. */
export type ChildMessage = { readonly ready: unknown } | { readonly report: unknown };

/** Tells the parent that this child is ready, and what it should know; nobody, when the parent is gone. */
export function sayReady(facts: object): void {
  tellParent({ ready: facts });
}

/** Tells the parent something, at any time. */
export function sendReport(report: object): void {
  tellParent({ report });
}

function tellParent(message: ChildMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Resolves when this process is to end in good order: its parent has let go of it or is gone, however that came about, or somebody sent
 * SIGTERM. Ctrl-C reaches all processes of a terminal; here it is for the parent to say what follows from it.
 */
export function untilToldToEnd(): Promise<void> {
  process.on('SIGINT', () => undefined);
  return new Promise((resolve) => {
    process.once('disconnect', resolve);
    process.once('SIGTERM', resolve);
    // The parent may have gone while this process was loading its files, when nobody listened yet.
    if (!process.connected) resolve();
  });
}
