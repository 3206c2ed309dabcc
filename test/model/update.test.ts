// The optimizer's step is made whole or not at all, whatever the numbers are, and at no cost for ordinary ones.
import { describe, expect, it, vi } from "vitest";
import {
  adagrad,
  adam,
  adamw,
  dense,
  embedding,
  type Model,
  type OptimizerSpec,
  rmsprop,
  type SequentialConfig,
  SimdgradError,
  sequential,
  sgd,
} from "../../src/index.ts";
import { Engine } from "../../src/model/engine.ts";
import { randomSource } from "../support/random.ts";
import { stateOf } from "../support/state.ts";

const make = (optimizer: OptimizerSpec, more: Partial<SequentialConfig> = {}): Model =>
  sequential({ input: 2, layers: [dense(1)], loss: "mean-squared-error", optimizer, ...more });

/** Calls until NUMERIC comes, which leaves the state before that call; the message. */
function refused(model: Model, call: (model: Model) => void, most = 500): string {
  for (let i = 0; i < most; i++) {
    const before = stateOf(model);
    try {
      call(model);
    } catch (error) {
      expect(error).toBeInstanceOf(SimdgradError);
      expect((error as SimdgradError).code).toBe("NUMERIC");
      expect(stateOf(model)).toEqual(before);
      return String(error);
    }
  }
  throw new Error(`No NUMERIC in ${most} calls.`);
}

/** One gradient that is given, all others 0. */
const push = (gradient: number) => (model: Model) => {
  model.gradients[0] = gradient;
  model.step();
};

describe("a step that is refused leaves the state before it", () => {
  it.each([
    ["adam", adam({ epsilon: 0 })],
    ["adamw", adamw({ epsilon: 0 })],
    ["rmsprop", rmsprop({ epsilon: 0 })],
    ["rmsprop with momentum", rmsprop({ epsilon: 0, momentum: 0.9 })],
    ["adagrad", adagrad({ epsilon: 0 })],
    ["adam, clipped", adam({ epsilon: 0, clipNorm: 1 })],
  ])("%s divides 0 by 0 without an epsilon, and says so", (_, optimizer) => {
    const message = refused(make(optimizer), (model) => model.trainBatch([[0, 1]], [1]));
    expect(message).toMatch(
      /step 1 .*1 parameters divides by little more than epsilon, 0\. The weights are those before/,
    );
    expect(message).toContain("An epsilon of 0 divides 0 by 0");
    expect(message).not.toMatch(/overflow|rate is probably/);
    expect(refused(make(optimizer), push(1))).toContain("epsilon");
  });

  it.each([
    ["adam", adam({ epsilon: 1e-44, beta1: 0.9, beta2: 0 })],
    ["rmsprop", rmsprop({ epsilon: 1e-44, alpha: 0.5 })],
    ["adagrad", adagrad({ epsilon: 1e-44 })],
  ])("%s with a denormal epsilon", (_, optimizer) => {
    const model = make({ ...optimizer, learningRate: 1e15 });
    model.gradients.set([1, 1e-20, 0]);
    const message = refused(model, (m) => m.step());
    expect(message).toContain("epsilon");
  });

  it.each([
    ["sgd, momentum above 1", sgd({ momentum: 2 })],
    ["sgd, nesterov above 1", sgd({ momentum: 1e20, nesterov: true, learningRate: 1e-30 })],
    ["rmsprop, momentum above 1", rmsprop({ momentum: 3 })],
    ["sgd, weight decay", sgd({ weightDecay: 1e4 })],
    ["sgd with momentum, weight decay", sgd({ weightDecay: 1e3, momentum: 0.9 })],
    ["rmsprop, weight decay", rmsprop({ weightDecay: 1e38 })],
    ["adagrad, weight decay", adagrad({ weightDecay: 1e38 })],
    ["adam, weight decay", adam({ weightDecay: 1e38 })],
    ["adamw, weight decay", adamw({ weightDecay: 1e4 })],
  ])("%s", (_, optimizer) => {
    expect(refused(make(optimizer), push(1))).toMatch(/overflow/);
  });

  it.each([
    ["sgd", sgd({ learningRate: 1e3 })],
    ["adamw", adamw({ learningRate: 3e37 })],
    ["adam, weight decay", adam({ weightDecay: 0.01 })],
    ["adagrad, weight decay", adagrad({ weightDecay: 1 })],
  ])("%s on weights near the largest f32", (_, optimizer) => {
    const model = make(optimizer);
    model.setWeights([1, 3.4e38, -3.4e38]);
    const message = refused(model, (m) => {
      m.gradients.set([1, -1e36, 1e36]);
      m.step();
    });
    expect(message).toMatch(/weights have grown|times weightDecay/);
  });

  it("a feature that is always 0 under a decay that flings its weight about", () => {
    const model = make(adamw({ learningRate: 0.5, weightDecay: 6 }), { layers: [dense(1, { useBias: false })] });
    refused(model, (m) => m.trainBatch([[0, 1]], [1]));
    expect(model.weights.every(Number.isFinite)).toBe(true);
  });

  it("what somebody wrote through live views, long after they were read", () => {
    const held = make(adam());
    const { weights } = held;
    for (let i = 0; i < 3; i++) push(1)(held);
    weights[1] = Number.NaN;
    expect(() => push(1)(held)).toThrow(/0\.kernel holds NaN/);
    const moved = make(sgd({ momentum: 0.9, learningRate: 10 }));
    const [{ moments }] = moved.parameters;
    push(1)(moved);
    moments[0][1] = 3e38;
    refused(moved, push(1));
    const embedded = make(adam(), { layers: [embedding({ vocabulary: 3, units: 2, column: 0 }), dense(1)] });
    embedded.weights[5] = Number.POSITIVE_INFINITY;
    const [first, adamV] = [embedded.weights.slice(), embedded.parameters[0].moments[1].slice()];
    expect(() => embedded.trainBatch([[0, 1]], [1])).toThrow(/holds Infinity/);
    expect(embedded.weights).toEqual(first);
    expect(embedded.parameters[0].moments[1]).toEqual(adamV);
  });

  it("any optimizer, any numbers", () => {
    const random = randomSource(77);
    const unit = () => (random.floats(1)[0] + 1) / 2;
    const power = (low: number, high: number) => 10 ** (low + (high - low) * unit());
    const maybe = (share: number, value: () => number, other: number) => (unit() < share ? value() : other);
    const pickTop = () => (unit() < 0.4 ? 38 : 5);
    const counts = { refused: 0, copied: 0, made: 0 };
    const copies = vi.spyOn(Engine.prototype, "copyState");
    for (let i = 0; i < 210; i++) {
      const top = pickTop();
      const epsilon = maybe(0.5, () => power(-45, top), 1e-8);
      const learningRate = power(-30, top);
      const weightDecay = maybe(0.5, () => power(-5, top), 0);
      const momentum = maybe(0.6, () => power(-1, top), 0.9);
      const model = make(
        [
          () => sgd({ learningRate, weightDecay, momentum, nesterov: unit() < 0.5 }),
          () => sgd({ learningRate, weightDecay }),
          () =>
            rmsprop({
              learningRate,
              weightDecay,
              epsilon,
              momentum,
              alpha: maybe(0.3, () => 1 - power(-15, -0.1), 0.99),
            }),
          () => rmsprop({ learningRate, weightDecay, epsilon }),
          () => adagrad({ learningRate, weightDecay, epsilon }),
          () => adam({ learningRate, weightDecay, epsilon, beta1: 1 - power(-15, -0.1), beta2: 1 - power(-15, -0.1) }),
          () => adamw({ learningRate, weightDecay, epsilon }),
        ][i % 7](),
      );
      model.setWeights([power(-40, top), -power(-10, top), 0]);
      for (let step = 0; step < 6; step++) {
        model.gradients.set([power(-45, 18), -power(-30, top), 0]);
        const before = stateOf(model);
        copies.mockClear();
        let failed = false;
        try {
          model.step();
        } catch {
          failed = true;
          expect(stateOf(model)).toEqual(before);
        }
        counts.copied += copies.mock.calls.length;
        counts[failed ? "refused" : "made"]++;
      }
    }
    copies.mockRestore();
    // Neither never nor always, so that both ways were seen.
    expect(counts.refused).toBeGreaterThan(100);
    expect(counts.made).toBeGreaterThan(100);
    expect(counts.copied).toBeLessThan(counts.made + counts.refused - 100);
  });
});

it("ordinary trainings are stepped without a copy", async () => {
  const random = randomSource(5);
  const x = random.floats(64 * 2, -100, 100);
  const y = random.floats(64, -100, 100);
  const copies = vi.spyOn(Engine.prototype, "copyState");
  for (const optimizer of [
    sgd({ learningRate: 1e-5 }),
    sgd({ learningRate: 1e-5, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    rmsprop({ momentum: 0.9, weightDecay: 0.01 }),
    rmsprop({ epsilon: 1e-16 }),
    adagrad({ weightDecay: 0.01 }),
    adam({ epsilon: 1e-16 }),
    adam({ weightDecay: 0.01, clipNorm: 1 }),
    adamw({ learningRate: 1 }),
  ]) {
    const model = make(optimizer);
    await model.fit({ x, y }, { epochs: 20, batchSize: 2 });
  }
  expect(copies).not.toHaveBeenCalled();
  copies.mockRestore();
});
