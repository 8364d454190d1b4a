// Takes the steps of one run in turn, lets the code come to rest between them, and sleeps while there is nothing to do.
import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../ports/clock.js';
import { afterHop, hop } from './hop.js';
import type { ProgressSink } from './progress.js';
import type { RunEnd } from './run-end.js';
import type { RunExit } from './run-exit.js';
import type { RunReplay } from './run-replay.js';

const settled = Promise.resolve();

/** What comes after a step: another one, a hop and then another one, nothing until something happens, or what the step waits for. */
export type NextStep = 'again' | 'hop' | 'rest' | Promise<void>;

/** Who takes the steps. */
export interface Steps {
  /**
   * One step. What it throws, or rejects with, breaks the run off.
   * @param moved the code was given something, or made a call by itself, since it was last let come to rest.
   */
  step(moved: boolean): NextStep;
  /** In place of a step while the code is kept waiting: only what may come between any two of its calls. Throws as `step`. */
  stepInPause(): NextStep;
}

export interface RunPumpParts {
  readonly clock: Clock;
  readonly progress: ProgressSink;
  readonly replay: RunReplay;
  readonly exit: RunExit;
  readonly turns: Steps;
  /** A reading of what came from outside is under way. */
  readonly isReading: boolean;
  /** Resolves when none is. Never rejects. */
  readingOver(): Promise<void>;
  /** The run has left. Called once, and not within a step. */
  onLeft(end: RunEnd): void;
}

/** Most steps have nothing to wait for, and no promise is made for them. */
export class RunPump {
  readonly #parts: RunPumpParts;
  /** Runs share turns and commits; what the code keeps in AsyncLocalStorage is its own run's all the same. */
  readonly #context = new AsyncResource('romancy.run');
  /** The code was given something, or made a call by itself, since it was last let come to rest. */
  #moved = true;
  /** It is being let come to rest. */
  #settling = false;
  /** Not in a replay: what it records on its way is waited for with a commit. */
  #isLiveHop = false;
  /** Something happened since the last step. */
  #woken = false;
  /** There is nothing to do until something happens. */
  #resting = false;
  /** Pauses of the code that are not over. */
  #pauses = 0;
  #lastPause = settled;
  /** Takes back the timer of the earliest time limit. */
  #cancelTimer: (() => void) | null = null;
  #wake: (() => void) | null = null;

  constructor(parts: RunPumpParts) {
    this.#parts = parts;
  }

  /** Takes steps, from when `beginning` is over until the run has an end. Called once. */
  start(beginning: Promise<void>): void {
    this.#goOnAfter(beginning);
  }

  /** The code is given something within a step. */
  codeIsGiven(): void {
    this.#moved = true;
  }

  /** A call that follows from what the code was given needs no further hop: the one under way ends when all that follows has been called. */
  codeMoves(): void {
    if (this.#settling) return;
    this.#moved = true;
    this.wakeUp();
  }

  /**
   * Keeps the code waiting for a turn of the event loop, and for `until`, though it has its outcome: others have their turn. Until all
   * pauses are over the code is not at rest, and is given nothing else. They are over one after the other, each a turn behind the one
   * before: so branches of the code go on in the same order in every run, however long `until` takes in one of them.
   * @param until what it rejects with breaks the run off.
   */
  pauseCode(until: () => Promise<void>): Promise<void> {
    this.#pauses++;
    this.#lastPause = this.#lastPause.then(() => this.#pauseFor(until));
    return this.#lastPause;
  }

  async #pauseFor(until: () => Promise<void>): Promise<void> {
    const { exit, progress, replay } = this.#parts;
    const isLive = replay.next === undefined;
    if (isLive) progress.goesOn();
    await hop();
    if (isLive) progress.stays();
    try {
      await until();
    } catch (error) {
      await exit.breakOff(error as Error);
    }
    // Behind a settlement the code is nobody's, and is left where it is.
    if (exit.isClosed) return await new Promise(() => undefined);
    this.#pauses--;
    this.#moved = true;
    this.wakeUp();
  }

  /** Something happened that a step has to see. */
  wakeUp(): void {
    this.#woken = true;
    this.#wake?.();
    if (!this.#resting) return;
    this.#resting = false;
    // Not within this call: what its caller does next may belong to what the step has to see.
    void settled.then(this.#goOn);
  }

  /** Called by a step that comes to rest: something is to happen after that time, unless something else does before. */
  wakeUpIn(delayMs: number): void {
    this.#cancelTimer = this.#parts.clock.schedule(delayMs, () => this.wakeUp());
  }

  /** Resolves when something happened since the step began. */
  untilWoken(): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  /** Called by what the pump waits for, and by nothing else: whoever that is, in the async context of this run. */
  readonly #goOn = (): void => {
    if (this.#settling) this.#cameToRest();
    this.#context.runInAsyncScope(this.#pump, this);
  };

  /** Until there is something to wait for. */
  #pump(): void {
    const { exit } = this.#parts;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    while (exit.end === null) {
      this.#woken = false;
      const next = this.#step();
      if (next === 'hop') {
        this.#hop();
        return;
      }
      if (next === 'rest') {
        if (this.#woken) continue;
        this.#resting = true;
        return;
      }
      if (next !== 'again') {
        this.#goOnAfter(next);
        return;
      }
    }
    this.#leave(exit.end);
  }

  /**
   * A reading of this run clears the attention of the instance, whoever runs it by then, and nobody takes what it brings. So the next run of it here
   * begins when that is over, and reads for itself: else a park of it could be accepted beside mail that it never saw.
   */
  #leave(end: RunEnd): void {
    const isToWait = end.type !== 'finished' && this.#parts.isReading;
    void (isToWait ? this.#parts.readingOver() : settled).then(() => this.#parts.onLeft(end));
  }

  #goOnAfter(going: Promise<void>): void {
    going.catch((error: unknown) => this.#parts.exit.breakOff(error as Error)).then(this.#goOn, this.#goOn);
  }

  #step(): NextStep {
    const { exit, turns } = this.#parts;
    if (exit.isClosed) return 'rest';
    try {
      return this.#pauses > 0 ? turns.stepInPause() : turns.step(this.#moved);
    } catch (error) {
      return exit.breakOff(error as Error);
    }
  }

  /** Lets the code come to rest. A replay records nothing on its way, and no commit needs to wait for it. */
  #hop(): void {
    this.#moved = false;
    this.#settling = true;
    this.#isLiveHop = this.#parts.replay.next === undefined;
    if (this.#isLiveHop) this.#parts.progress.goesOn();
    afterHop(this.#goOn);
  }

  #cameToRest(): void {
    this.#settling = false;
    if (this.#isLiveHop) this.#parts.progress.stays();
  }
}
