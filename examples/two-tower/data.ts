// People and the thing each of them chose. What makes them fit is hidden; each side shows it in features of its own.
import type { Random } from "../random.ts";

/** Features that are seen of a person, and of a thing. */
export const FEATURES = 32;
/** Numbers that say what a person wants and what a thing is. */
const HIDDEN = 6;
/** How far a person's choice is from what he wants. Units: standard deviations of the wants, in each number. */
const TASTE = 0.3;
const NOISE = 0.3;

/** Row i of the people chose row i of the things. */
export interface Pairs {
  readonly rows: number;
  /** Shapes: [rows, FEATURES], flat. */
  readonly people: Float32Array;
  readonly things: Float32Array;
  /** What nobody sees. Shapes: [rows, HIDDEN], flat. */
  readonly wanted: Float32Array;
  readonly chosen: Float32Array;
}

/** Pairs to learn from and others, of people and things never seen, for the test. */
export function makePairs(random: Random, ...counts: number[]): Pairs[] {
  const [showPerson, showThing] = [view(random), view(random)];
  return counts.map((rows) => {
    const wanted = Array.from({ length: rows }, () => Array.from({ length: HIDDEN }, () => random.normal()));
    const chosen = wanted.map((want) => want.map((number) => number + TASTE * random.normal()));
    return {
      rows,
      people: Float32Array.from(wanted.flatMap(showPerson)),
      things: Float32Array.from(chosen.flatMap(showThing)),
      wanted: Float32Array.from(wanted.flat()),
      chosen: Float32Array.from(chosen.flat()),
    };
  });
}

/** Mixes the hidden numbers, bends the mixtures and adds noise. */
function view(random: Random): (hidden: readonly number[]) => number[] {
  const mixtures = Array.from({ length: FEATURES }, () => Array.from({ length: HIDDEN }, () => random.normal()));
  return (hidden) =>
    mixtures.map((weights) => {
      const mixed = weights.reduce((sum, weight, i) => sum + weight * hidden[i], 0);
      return mixed / (1 + Math.abs(mixed)) + NOISE * random.normal();
    });
}
