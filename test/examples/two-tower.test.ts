// The two-tower example: its loss and gradients against differences in f64, its measure, and that it learns.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { randomOf } from "../../examples/random.ts";
import { contrastOf } from "../../examples/two-tower/contrast.ts";
import { FEATURES, makePairs } from "../../examples/two-tower/data.ts";
import { places, recall, step, TESTED, towersOf, train, truth } from "../../examples/two-tower/train.ts";

const ROWS = 7;
const WIDTH = 5;

/** The loss straight from its definition: cosines times 10, cross-entropy by rows and by columns, their mean. */
function lossOf(people: Float64Array, things: Float64Array): number {
  const row = (all: Float64Array, i: number) => all.subarray(i * WIDTH, (i + 1) * WIDTH);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const score = (i: number, j: number) => {
    const [a, b] = [row(people, i), row(things, j)];
    return (10 * dot(a, b)) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  let loss = 0;
  for (let i = 0; i < ROWS; i++) {
    let [byRow, byColumn] = [0, 0];
    for (let j = 0; j < ROWS; j++) {
      byRow += Math.exp(score(i, j));
      byColumn += Math.exp(score(j, i));
    }
    loss += (Math.log(byRow) + Math.log(byColumn)) / 2 - score(i, i);
  }
  return loss / ROWS;
}

describe("the loss", () => {
  const random = randomOf(3);
  const [people, things] = [0, 1].map(() => Float32Array.from({ length: ROWS * WIDTH }, () => random.normal()));
  const { loss, dPeople, dThings } = contrastOf(ROWS)(people, things);

  it("is its definition", () => {
    // Scores up to 10 are rounded to f32 thrice: 10 * 4 * 2^-24 = 2e-6 each, and so is the loss.
    expect(Math.abs(loss - lossOf(Float64Array.from(people), Float64Array.from(things)))).toBeLessThan(5e-6);
  });

  it.each(["people", "things"] as const)("has the gradient by the %s that differences give", (side) => {
    const at = side === "people" ? 0 : 1;
    const gradient = [dPeople, dThings][at];
    for (const [i, value] of gradient.entries()) {
      const [above, below] = [1, -1].map((sign) => {
        const moved = [people, things].map((embeddings) => Float64Array.from(embeddings));
        moved[at][i] += sign * 1e-4;
        return lossOf(moved[0], moved[1]);
      });
      // Probabilities carry their scores' 2e-6, times 10 for the sharpness; the differences err by less.
      expect(Math.abs((above - below) / 2e-4 - value)).toBeLessThan(2e-5);
    }
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.1);
  });
});

describe("a step", () => {
  it("has gradients in both towers that point uphill, as steep as they say", () => {
    const [pairs] = makePairs(randomOf(2), 32);
    const towers = towersOf(2);
    const contrast = contrastOf(32);
    const before = [towers.people, towers.things].map((tower) => tower.clone());
    step(
      towers,
      pairs,
      Array.from({ length: 32 }, (_, i) => i),
      contrast,
    );
    for (const [t, tower] of [towers.people, towers.things].entries()) {
      expect(tower.weights).not.toEqual(before[t].weights);
      const gradient = tower.gradients.slice();
      const length = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      const [above, below] = [1, -1].map((sign) => {
        const moved = before.map((other) => other.clone());
        moved[t].setWeights(moved[t].weights.map((weight, i) => weight + (sign * 1e-2 * gradient[i]) / length));
        return contrast(moved[0].predict(pairs.people), moved[1].predict(pairs.things)).loss;
      });
      // The f32 loss errs by 1e-5, thus the slope by 1e-3, and 1 % for ReLUs that bend on the way.
      expect(Math.abs((above - below) / 2e-2 - length)).toBeLessThan(1e-3 + 0.01 * length);
      expect(length).toBeGreaterThan(0.1);
    }
  });
});

describe("recall", () => {
  it("counts those whose own is among the nearest, ties against it", () => {
    const near = Float32Array.of(3, 2, 1, 3, 2, 1, 5, 5, 5);
    expect([1, 2, 3].map((k) => recall(near, k))).toEqual([1 / 3, 2 / 3, 1]);
  });

  it("is high for who sees everything, and chance for towers that have learned nothing", () => {
    const [pairs] = makePairs(randomOf(1), TESTED);
    expect(pairs.people).toHaveLength(TESTED * FEATURES);
    expect(recall(truth(pairs), 10)).toBeGreaterThan(0.98);
    // Chance is 0.01; five deviations of 1,000 draws are 0.016, and towers drawn at random are a little lucky.
    expect(recall(places(towersOf(1), pairs), 10)).toBeLessThan(0.05);
  });
});

describe("training", () => {
  it.each([1, 2, 3])("finds the things that people chose, seed %i", (seed) => {
    const recalls: number[] = [];
    train(seed, 3, (epoch) => recalls.push(epoch.recall));
    expect(recalls).toHaveLength(3);
    expect(recalls[2]).toBeGreaterThan(0.55);
    expect(recalls[2]).toBeGreaterThan(recalls[0]);
  });

  it("repeats itself with a seed, bit for bit", () => {
    const [first, again, other] = [4, 4, 5].map((seed) => train(seed, 1).towers.things.save());
    expect([Buffer.compare(again, first), other.length]).toEqual([0, first.length]);
    expect(Buffer.compare(other, first)).not.toBe(0);
  });
});

it("the program tells what it does", () => {
  const program = fileURLToPath(new URL("../../build/examples/two-tower.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--epochs", "2"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.match(/^epoch +\d {2}loss \d\.\d{4} {2}recall@10 0\.\d{3} {2}━+$/gm)).toHaveLength(2);
  expect(
    stdout.match(/^recall@\d+ +\d\.\d{3} {2}with what nobody sees \d\.\d{3} {2}by chance 0\.\d{3}$/gm),
  ).toHaveLength(4);
});
