// The same training in plain JavaScript beside it: equal initial weights, batches and steps.
import { createNaive } from "../../bench/baselines/naive.ts";
import { type CreateNetwork, createRandom } from "../../bench/baselines/network.ts";
import { createTuned } from "../../bench/baselines/tuned.ts";
import type { Model } from "../../src/index.ts";
import { CLASSES, type Digits, PIXELS, type Samples } from "./digits.ts";
import { BATCH, classifier, HIDDEN } from "./network.ts";
import type { Options } from "./options.ts";
import { count, heading, type Terminal, table } from "./terminal.ts";

const WARM_UP_EPOCHS = 3;

interface Runner {
  step(batch: Samples): number;
  accuracy(test: Samples): number;
}

interface Contender {
  readonly name: string;
  /** A new network with the start weights. */
  create(): Runner;
}

export interface Result {
  readonly name: string;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  /** Mean over the last epoch's batches, each before its step. */
  readonly loss: number;
  readonly accuracy: number;
}

const CAPTION = `Equal initial weights and batches, shuffled anew. One process and thread, in
turns of an epoch, after ${WARM_UP_EPOCHS} epochs of warm-up on copies, on Node ${process.versions.node}. simdgrad
also copies and checks each batch. Plain JavaScript computes in doubles and
stores floats.`;

export function showRace(digits: Digits, { init, seed, epochs }: Options, terminal: Terminal): void {
  const results = race(digits, classifier({ init, seed }), epochs, seed);
  const [own, ...plain] = results;
  const steps = count(epochs * Math.ceil(digits.train.rows / BATCH));
  heading(terminal, `The same training, ${steps} steps, in plain JavaScript beside it`);
  terminal.print(
    table([
      ["", "seconds", "steps/s", "last loss", "test accuracy", "speed-up"],
      ...results.map((result) => [
        result.name,
        result.seconds.toFixed(3),
        count(result.stepsPerSecond),
        result.loss.toFixed(4),
        result.accuracy.toFixed(4),
        result === own ? "" : `${(result.seconds / own.seconds).toFixed(1)}x`,
      ]),
    ]),
  );
  terminal.print(CAPTION);
  const speedUps = plain.map(({ name, seconds }) => `${(seconds / own.seconds).toFixed(1)}x over ${name}`);
  terminal.print(terminal.paint("bold", `speed-up ${speedUps.join(", ")}`));
}

/** Taking turns epoch by epoch, each meets the same moods of the machine. Laying out batches is not timed. */
export function race({ train, test }: Digits, start: Model, epochs: number, seed: number): Result[] {
  const contenders: Contender[] = [
    { name: "simdgrad", create: () => simdgrad(start) },
    { name: "straightforward plain JS", create: () => plain(createNaive, start, test.rows) },
    { name: "tuned plain JS", create: () => plain(createTuned, start, test.rows) },
  ];
  const random = createRandom(seed);
  const copies = contenders.map(({ create }) => create());
  for (let epoch = 0; epoch < WARM_UP_EPOCHS; epoch++) {
    const batches = shuffledBatches(train, random);
    for (const copy of copies) for (const batch of batches) copy.step(batch);
  }

  const runners = contenders.map(({ name, create }) => ({ name, network: create(), seconds: 0, loss: 0 }));
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const batches = shuffledBatches(train, random);
    steps += batches.length;
    for (const runner of runners) {
      const started = performance.now();
      let sum = 0;
      for (const batch of batches) sum += batch.rows * runner.network.step(batch);
      runner.seconds += (performance.now() - started) / 1000;
      runner.loss = sum / train.rows;
    }
  }
  return runners.map(({ name, network, seconds, loss }) => ({
    name,
    seconds,
    stepsPerSecond: steps / seconds,
    loss,
    accuracy: network.accuracy(test),
  }));
}

function simdgrad(start: Model): Runner {
  const model = start.clone();
  return {
    step: ({ x, y }) => model.trainBatch(x, y),
    accuracy: (test) => model.evaluate(test).accuracy ?? 0,
  };
}

function plain(create: CreateNetwork, start: Model, maxRows: number): Runner {
  const network = create([PIXELS, HIDDEN, CLASSES], Math.max(BATCH, maxRows));
  const views = network.parameters.flatMap(({ kernel, bias }) => [kernel, bias]);
  views.forEach((view, i) => {
    view.set(start.parameters[i].value);
  });
  return {
    step: ({ x, y, rows }) => network.step(x, y, rows),
    accuracy({ x, y, rows }) {
      const probabilities = network.forward(x, rows);
      const right = y.filter((label, i) => label === largest(probabilities.subarray(i * CLASSES, (i + 1) * CLASSES)));
      return right.length / rows;
    },
  };
}

function largest(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}

/** All rows in a random order (Fisher-Yates), copied into batches. */
function shuffledBatches({ rows, x, y }: Samples, random: () => number): Samples[] {
  const order = Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const batches: Samples[] = [];
  for (let from = 0; from < rows; from += BATCH) {
    const picked = order.slice(from, from + BATCH);
    const batch = {
      rows: picked.length,
      x: new Float32Array(picked.length * PIXELS),
      y: new Int32Array(picked.length),
    };
    picked.forEach((row, i) => {
      batch.x.set(x.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
      batch.y[i] = y[row];
    });
    batches.push(batch);
  }
  return batches;
}
