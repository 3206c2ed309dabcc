// Learning rate schedules: against PyTorch's (goldens/make_schedules.py), their functions against the engine's, and how
// a model goes by them.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  adam,
  cosineDecay,
  dense,
  exponentialDecay,
  type LearningRate,
  load,
  type SequentialConfig,
  sequential,
  sgd,
  stepDecay,
  warmup,
} from "../../src/index.ts";
import { exp, log, power, sinQuarter } from "../../src/numerics.ts";
import { rateAt } from "../../src/schedules.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(51);
// biome-ignore lint/suspicious/noExplicitAny: goldens are JSON, and some tests pass what the types forbid.
const wrong = (value: unknown): any => value;

describe("rates of PyTorch", () => {
  interface Golden {
    factory: keyof typeof factories;
    options: Record<string, unknown>;
    rates: number[];
  }
  const factories = { cosineDecay, stepDecay, exponentialDecay, warmup };
  const make = (factory: Golden["factory"], options: Golden["options"]): LearningRate => {
    const { after } = options;
    const inner = Array.isArray(after) ? { after: make(after[0], after[1]) } : {};
    return factories[factory](wrong({ ...options, ...inner }));
  };
  const goldens: Golden[] = JSON.parse(readFileSync(new URL("../goldens/schedules.json", import.meta.url), "utf8"));

  it.each(goldens.map((golden) => [JSON.stringify([golden.factory, golden.options]), golden] as const))(
    "%s",
    (_, { factory, options, rates }) => {
      const schedule = make(factory, options);
      // PyTorch goes from rate to rate: a rounding or two a step, relative to the largest.
      const tolerance = rates.length * 4 * 2 ** -53 * Math.max(...rates);
      for (const [step, rate] of rates.entries()) {
        expect(Math.abs(rateAt(schedule, step) - rate), `step ${step}`).toBeLessThanOrEqual(tolerance);
      }
    },
  );

  it("cover every kind, and end where they should", () => {
    expect(new Set(goldens.map(({ factory }) => factory)).size).toBe(4);
    const cosine = cosineDecay({ initial: 0.1, final: 0.03, steps: 10 });
    expect([0, 10, 11, 1e9].map((step) => rateAt(cosine, step))).toEqual([0.1, 0.03, 0.03, 0.03]);
    expect(rateAt(warmup({ steps: 4, after: 0.5 }), 0)).toBe(0);
    expect(rateAt(warmup({ steps: 4, after: 0.5 }), 4)).toBe(0.5);
  });
});

describe("deterministic functions stay within their stated errors", () => {
  // The engine's own functions are off by at most an ulp.
  const ulp = 2 ** -52;
  const relative = (value: number, reference: number) => Math.abs(value / reference - 1);
  const draws = Array.from({ length: 20_000 }, () => random.uniform(0, 1));

  it("exp", () => {
    for (const draw of draws) {
      const x = (draw - 0.5) * 1390;
      expect(relative(exp(x), Math.exp(x)), `${x}`).toBeLessThanOrEqual(1.5 * ulp + ulp);
    }
    expect(exp(0)).toBe(1);
  });

  it("log", () => {
    for (const draw of draws) {
      const x = 10 ** ((draw - 0.5) * 600);
      const reference = Math.log(x);
      expect(Math.abs(log(x) - reference), `${x}`).toBeLessThanOrEqual(ulp * (1 + 2 * Math.abs(reference)));
    }
    expect(log(1)).toBe(0);
  });

  it("sinQuarter", () => {
    for (const x of [...draws, 1e-9, 1]) {
      expect(relative(sinQuarter(x), Math.sin((Math.PI / 2) * x)), `${x}`).toBeLessThanOrEqual(2.5 * ulp);
    }
    expect([sinQuarter(0), sinQuarter(1)]).toEqual([0, 1]);
  });

  it("power", () => {
    for (const draw of draws) {
      const exponent = draw * 300;
      const base = random.uniform(0.2, 1.5);
      const reference = base ** exponent;
      const bound = (ulp / 2) * (exponent * (1 + Math.abs(Math.log(base))) + 6);
      expect(relative(power(base, exponent), reference), `${base} ^ ${exponent}`).toBeLessThanOrEqual(bound);
    }
  });
});

describe("a model with a schedule", () => {
  const rate = warmup({ steps: 3, after: cosineDecay({ initial: 0.5, steps: 9, final: 0.125 }) });
  const config: SequentialConfig = {
    input: 3,
    layers: [dense(5, { activation: "tanh" }), dense(2)],
    loss: "mean-squared-error",
    optimizer: sgd({ learningRate: rate }),
  };
  const x = random.floats(20 * 3);
  const y = random.floats(20 * 2);
  const data = { x, y };

  it("steps with the rate of each step", () => {
    const scheduled = sequential(config);
    const byHand = sequential({ ...config, optimizer: sgd() });
    for (let step = 0; step < 15; step++) {
      expect(scheduled.learningRate).toBe(rateAt(rate, step));
      byHand.learningRate = rateAt(rate, step);
      for (const model of [scheduled, byHand]) model.trainBatch(x, y);
      expect(scheduled.weights).toEqual(byHand.weights);
    }
    scheduled.forward(x);
    scheduled.backward(new Float32Array(40).fill(1));
    scheduled.step();
    expect(scheduled.learningRate).toBe(0.125);
  });

  it("tells the rate in reports, errors and summary", async () => {
    const model = sequential(config);
    const { epochs } = await model.fit(data, { epochs: 3, batchSize: 10 });
    expect(epochs.map(({ learningRate }) => learningRate)).toEqual([2, 4, 6].map((step) => rateAt(rate, step)));
    expect(model.summary()).toContain(`learning rate ${rateAt(rate, 6)}`);
    expect(model.clone().learningRate).toBe(model.learningRate);
  });

  it("resumes in the middle with the same bits", async () => {
    const optimizer = adam({ learningRate: rate });
    const whole = sequential({ ...config, optimizer });
    await whole.fit(data, { epochs: 6, batchSize: 8 });
    const first = sequential({ ...config, optimizer });
    const abort = new AbortController();
    const onBatch = ({ step }: { step: number }) => step === 8 && abort.abort();
    await first.fit(data, { epochs: 6, batchSize: 8, onBatch, signal: abort.signal }).catch(() => undefined);
    const second = load(first.save());
    expect(second.learningRate).toBe(rateAt(rate, 8));
    await second.fit(data, { epochs: 6, batchSize: 8, resume: true });
    expect(second.save()).toEqual(whole.save());
  });

  it("a number that is set takes the schedule's place, in files too", () => {
    const model = sequential(config);
    model.trainBatch(x, y);
    model.learningRate = 0.25;
    model.trainBatch(x, y);
    const same = load(model.save());
    for (const each of [model, same]) expect(each.learningRate).toBe(0.25);
    expect(same.spec).toEqual(model.spec);
    // Without state the spec's schedule begins anew.
    expect(load(model.save({ state: false })).learningRate).toBe(0);
    model.learningRate = stepDecay({ initial: 1, rate: 0.5, every: 2 });
    expect(load(model.save()).learningRate).toBe(0.5);
  });

  it("a schedule is plain frozen data", () => {
    expect(JSON.parse(JSON.stringify(rate))).toEqual(rate);
    expect(Object.isFrozen(rate) && Object.isFrozen(rate.after)).toBe(true);
    expect(rate).toEqual({
      kind: "warmup",
      initial: 0,
      steps: 3,
      after: { kind: "cosine-decay", initial: 0.5, final: 0.125, steps: 9 },
    });
  });

  for (const [name, call, message] of [
    [
      "no steps",
      () => cosineDecay(wrong({ initial: 1 })),
      /^cosineDecay: expected the options initial, steps, received no steps\./,
    ],
    ["nothing", () => (cosineDecay as (options?: unknown) => unknown)(), /received no initial, no steps/],
    [
      "an unknown option",
      () => cosineDecay(wrong({ initial: 1, decaySteps: 5 })),
      /"decaySteps".*initial, final, steps/,
    ],
    ["half a step", () => stepDecay({ initial: 1, every: 0.5 }), /^stepDecay: expected every/],
    [
      "a rate of 0",
      () => exponentialDecay({ initial: 1, rate: 0 }),
      /^exponentialDecay: expected rate to be a finite number > 0/,
    ],
    ["a negative rate", () => stepDecay({ initial: -1, every: 2 }), /initial/],
    ["nothing after a warmup", () => warmup(wrong({ steps: 5 })), /^warmup: .*received no after/],
    ["a schedule of another house", () => adam({ learningRate: wrong({ kind: "cosine" }) }), /"cosine".*cosineDecay/],
    ["a schedule within that is none", () => sgd({ learningRate: wrong({ ...rate, after: {} }) }), /after/],
  ] as const) {
    it(`${name} is CONFIG`, () => {
      expect(call).toThrow(expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(message) }));
    });
  }
});
