// Where in a value the writing is.
import { pathText, type PathStep } from './json-codec-format.js';
import type { ObjectKind } from './json-codec-kind.js';

/** An object of the value, and the tree that stands for it, which is empty until its turn comes. */
export interface Place {
  readonly value: object;
  readonly kind: ObjectKind;
  readonly tree: Record<string, unknown> | unknown[];
  /** How it is reached from the object around it; undefined for the value itself. */
  readonly step: PathStep | undefined;
  readonly outer: Place | undefined;
  /** How many objects and arrays of the text lie around it. */
  readonly level: number;
  readonly guard: Guard | undefined;
}

/** A member of an error: what cannot be written inside of it costs this member and not the whole value. */
export interface Guard {
  failed: boolean;
  readonly outer: Guard | undefined;
}

/** Whether what is at a place is left out, since it is inside of a member that failed meanwhile. */
export function isGivenUp(guard: Guard | undefined): boolean {
  for (let at = guard; at !== undefined; at = at.outer) if (at.failed) return true;
  return false;
}

/** `$.items[3].price`, for what is one step (or none) into a place. */
export function pathOf(place: Place | undefined, step: PathStep | undefined): string {
  const steps = step === undefined ? [] : [step];
  for (let at = place; at !== undefined; at = at.outer) if (at.step !== undefined) steps.push(at.step);
  return pathText(steps.reverse());
}
