// A measurement for which a place needs a server: elsewhere it has nothing to measure.
import type { Effort, Measurement, ResultRow } from '../measurement.js';
import type { PlaceServer } from '../places/place.js';

export function onServer(name: string, run: (server: PlaceServer, effort: Effort) => Promise<readonly ResultRow[]>): Measurement {
  return {
    name,
    isFor: ({ server }) => server !== null,
    run: async ({ server }, effort) => (server === null ? [] : await run(server, effort)),
  };
}
