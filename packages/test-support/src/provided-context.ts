// What the global setup hands to the tests of a run, and what they take with vitest's `inject`.
declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a superuser; use `createDatabase()` instead of writing there. */
    postgresUrl: string;
    /** Part of the name of every database that this run makes. */
    postgresRunId: string;
    /** A folder that is removed when the run is over; use `temporaryDirectory()`. */
    temporaryRoot: string;
  }
}

export {};
