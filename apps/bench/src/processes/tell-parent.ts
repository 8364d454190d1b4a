// The other end of a measurement's process: tells the one that started it, and ends with it.

/** @throws Error when the process was not started by a measurement. */
export function tellParent(message: object): void {
  if (process.send === undefined) throw new Error('this file is started by a measurement, and by nobody else');
  process.send(message);
}

/** However the parent goes: by then nobody reads what is told. Also keeps this process alive until then. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit());
}
