// The sign that this process is there: an advisory lock that lasts as long as its listening session.
import type { Entropy } from '@romancy/core/ports';
import { type AdvisoryKey, classIdOf, randomObjectId } from './advisory-key.js';
import type { Session } from './session.js';

/** Chance meets a key in use perhaps once in a billion starts; the own one of before is met whenever its session still stands in the server. */
const attempts = 5;

export class Presence {
  readonly #classId: number;
  readonly #entropy: Entropy;
  #objectId: number;

  constructor(channelPrefix: string, entropy: Entropy) {
    this.#classId = classIdOf(`romancy presence ${channelPrefix}`);
    this.#entropy = entropy;
    this.#objectId = randomObjectId(entropy);
  }

  /**
   * Takes the lock on a session that is known to be kept for this process. After a cut the session before may hold the old key for a while: then
   * a new one is taken, since others must not think that they share it.
   * @returns `advisory:<classid>:<objid>`; null when the server refuses.
   */
  async take(session: Session): Promise<string | null> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const key: AdvisoryKey = { classId: this.#classId, objectId: this.#objectId };
      try {
        const values = [key.classId, key.objectId];
        const [row] = await session.query({ text: 'SELECT pg_try_advisory_lock($1::int4, $2::int4)', values });
        if (row?.[0] === 't') return `advisory:${key.classId}:${key.objectId}`;
      } catch {
        return null;
      }
      this.#objectId = randomObjectId(this.#entropy);
    }
    return null;
  }
}
