// A time in which a commit lane is somebody's.

/** Asked for; begun when nothing is under way any more; over. */
export class Pause {
  readonly begun: Promise<void>;
  readonly over: Promise<void>;
  begin!: () => void;
  end!: () => void;

  constructor() {
    this.begun = new Promise((resolve) => (this.begin = resolve));
    this.over = new Promise((resolve) => (this.end = resolve));
  }
}
