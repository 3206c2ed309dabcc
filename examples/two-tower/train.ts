// Two networks that learn to put a person and the thing he chose in the same place.
import { adam, dense, type Model, sequential } from "simdgrad";
import { type Random, randomOf } from "../random.ts";
import { contrastOf } from "./contrast.ts";
import { FEATURES, makePairs, type Pairs } from "./data.ts";
import { dots, type Matrix, normalize } from "./matrix.ts";

const WIDTH = 16;
const BATCH = 128;
export const TRAINED = 4096;
export const TESTED = 1000;

export interface Towers {
  readonly people: Model;
  readonly things: Model;
}

export interface Epoch {
  readonly epoch: number;
  readonly loss: number;
  readonly recall: number;
}

export function towersOf(seed: number): Towers {
  const tower = (own: number) =>
    sequential({
      input: FEATURES,
      layers: [dense(64, { activation: "relu" }), dense(WIDTH)],
      optimizer: adam({ learningRate: 2e-3 }),
      seed: 2 * seed + own,
    });
  return { people: tower(0), things: tower(1) };
}

/** The same seed gives the same towers on every engine. */
export function train(seed: number, epochs: number, report: (epoch: Epoch) => void = () => {}) {
  const random = randomOf(seed);
  const [known, unseen] = makePairs(random, TRAINED, TESTED);
  const towers = towersOf(seed);
  const contrast = contrastOf(BATCH);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = shuffled(known.rows, random);
    let loss = 0;
    for (let start = 0; start < order.length; start += BATCH) {
      const batch = order.slice(start, start + BATCH);
      loss += (step(towers, known, batch, contrast) * BATCH) / order.length;
    }
    report({ epoch, loss, recall: recall(places(towers, unseen), 10) });
  }
  return { towers, unseen };
}

/** One step of both towers; the loss before it. */
export function step(
  { people, things }: Towers,
  pairs: Pairs,
  batch: readonly number[],
  contrast: ReturnType<typeof contrastOf>,
): number {
  const { loss, dPeople, dThings } = contrast(
    people.forward(rowsOf(pairs.people, batch)),
    things.forward(rowsOf(pairs.things, batch)),
  );
  for (const [tower, gradient] of [
    [people, dPeople],
    [things, dThings],
  ] as const) {
    tower.zeroGradients();
    tower.backward(gradient);
    tower.step();
  }
  return loss;
}

/** How near each person is to each thing. Shapes: [people, things]. */
export function places({ people, things }: Towers, pairs: Pairs): Matrix {
  const place = (tower: Model, features: Matrix) => normalize(tower.predict(features), WIDTH).rows;
  return dots(place(people, pairs.people), place(things, pairs.things), WIDTH);
}

/** The same by what nobody sees: about the best that there can be. */
export function truth({ wanted, chosen, rows }: Pairs): Matrix {
  const width = wanted.length / rows;
  const sizes = Float64Array.from({ length: rows }, (_, j) => {
    return chosen.subarray(j * width, (j + 1) * width).reduce((sum, value) => sum + value * value, 0) / 2;
  });
  // Of one person's distances, half the square without what is the same for all things, negated.
  return dots(wanted, chosen, width).map((product, at) => product - sizes[at % rows]);
}

/** Share of people whose thing is among the k nearest; things equally near count as nearer. */
export function recall(near: Matrix, k: number): number {
  const rows = Math.sqrt(near.length);
  let found = 0;
  for (let i = 0; i < rows; i++) {
    const row = near.subarray(i * rows, (i + 1) * rows);
    const nearer = row.reduce((count, other) => count + (other >= row[i] ? 1 : 0), 0);
    if (nearer <= k) found++;
  }
  return found / rows;
}

function rowsOf(flat: Float32Array, rows: readonly number[]): Float32Array {
  const chosen = new Float32Array(rows.length * FEATURES);
  for (const [i, row] of rows.entries()) {
    chosen.set(flat.subarray(row * FEATURES, (row + 1) * FEATURES), i * FEATURES);
  }
  return chosen;
}

/** 0 to count - 1. Source: Fisher & Yates. */
function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform(0, i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
