// Brings up PostgreSQL once for a whole test run.
export function setup(): void {}
