// Gives each durable call of a run its position and its id.
import { DuplicateCallIdError } from '../domain/errors.js';
import { checkName, numberedCallId } from '../domain/ids.js';

/** Where a call stands and what it is called. */
export interface CallIdentity {
  /** From 0, in the order in which the code makes the calls. */
  readonly position: number;
  readonly id: string;
}

/** Counts the calls of one run. The same calls in the same order get the same identities on every run. */
export class CallIds {
  readonly #instanceId: string;
  readonly #counts = new Map<string, number>();
  /** Ids that are taken. Kept only once a run uses explicit ones: numbered ids alone cannot collide, and a long run would hold them all. */
  #used: Set<string> | null = null;
  #position = 0;

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
  }

  /** How many calls were made. */
  get issued(): number {
    return this.#position;
  }

  /** @throws DuplicateCallIdError when the explicit id, or the number that comes next, is taken by an earlier call. */
  next(name: string, explicitId?: string): CallIdentity {
    let id: string;
    if (explicitId === undefined) {
      const count = (this.#counts.get(name) ?? 0) + 1;
      this.#counts.set(name, count);
      id = numberedCallId(name, count);
    } else {
      checkName(explicitId, `id of ${name}`);
      this.#used ??= this.#numbered();
      id = explicitId;
    }
    if (this.#used !== null) {
      if (this.#used.has(id)) throw new DuplicateCallIdError({ instanceId: this.#instanceId, callId: id });
      this.#used.add(id);
    }
    return { position: this.#position++, id };
  }

  #numbered(): Set<string> {
    const ids = new Set<string>();
    for (const [name, count] of this.#counts) {
      for (let number = 1; number <= count; number++) ids.add(numberedCallId(name, number));
    }
    return ids;
  }
}
