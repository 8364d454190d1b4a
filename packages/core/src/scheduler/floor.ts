// Lets one lane at a time tell its runs what was committed, until it has sent what came of it.
import { afterHop } from '../engine/hop.js';

/** One lane's time on the floor. */
export interface FloorTurn {
  /** What came of it is on its way to the driver: the turn is over when it has left. */
  sent(): void;
}

/** However long the code of one run goes on: so many turns of the event loop another lane waits at most. */
const mostHops = 4;

/**
 * To tell a hundred runs that they may go on keeps the event loop for a millisecond or more, since their code goes on within it. Were the answer
 * to another lane's commit told while these runs come to rest, what they have recorded would be sent that much later, and the database would have
 * nothing to do meanwhile.
 */
export class Floor {
  #holder: FloorTurn | null = null;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when no other lane has the floor. */
  async take(): Promise<FloorTurn> {
    while (this.#holder !== null) {
      if (this.#waiting.length === 0) this.#leaveIn(mostHops, this.#holder);
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
    const turn: FloorTurn = { sent: () => afterHop(() => this.#leave(turn)) };
    this.#holder = turn;
    if (this.#waiting.length > 0) this.#leaveIn(mostHops, turn);
    return turn;
  }

  #leaveIn(hops: number, turn: FloorTurn): void {
    if (this.#holder !== turn) return;
    if (hops === 0) this.#leave(turn);
    else afterHop(() => this.#leaveIn(hops - 1, turn));
  }

  #leave(turn: FloorTurn): void {
    if (this.#holder !== turn) return;
    this.#holder = null;
    this.#waiting.shift()?.();
  }
}
