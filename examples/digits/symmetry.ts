// `--init zeros`: units that start equal stay equal, and what breaks that.
import type { ActivationName, InitializerName, Model } from "../../src/index.ts";
import type { Digits } from "./digits.ts";
import { BATCH, classifier, HIDDEN } from "./network.ts";
import type { Options } from "./options.ts";
import { count, heading, type Terminal, table } from "./terminal.ts";

const trials: readonly { activation: ActivationName; init: InitializerName }[] = [
  { activation: "sigmoid", init: "zeros" },
  { activation: "relu", init: "zeros" },
  { activation: "sigmoid", init: "glorot-uniform" },
  { activation: "relu", init: "glorot-uniform" },
  { activation: "sigmoid", init: "he-normal" },
  { activation: "relu", init: "he-normal" },
];

/** Of the hidden layer's kernel. A unit is a column of it. */
export interface Symmetry {
  readonly activation: ActivationName;
  readonly init: InitializerName;
  /** Columns that differ in at least one bit. */
  readonly distinctBefore: number;
  readonly distinctAfter: number;
  /** Largest |w_i - w_j| of two units in the same row, after any step. */
  readonly spread: number;
  /** Largest |w - w at the start| after any step. */
  readonly moved: number;
  readonly testAccuracy: number;
}

export async function showSymmetry(digits: Digits, options: Options, terminal: Terminal): Promise<void> {
  heading(terminal, `Hidden layer of ${HIDDEN} units, trained from equal and from random weights`);
  const rows: Symmetry[] = [];
  for (const { activation, init } of trials) rows.push(await observe(digits, options, activation, init));
  terminal.print(
    table([
      ["hidden layer", "different units", "|w_i - w_j|", "moved by", "test accuracy"],
      ...rows.map(({ activation, init, distinctBefore, distinctAfter, spread, moved, testAccuracy }) => [
        `${activation}, ${init}`,
        `${distinctBefore} -> ${distinctAfter}`,
        show(spread),
        show(moved),
        testAccuracy.toFixed(4),
      ]),
    ]),
  );
  terminal.print(legend(Math.ceil(digits.train.rows / BATCH) * options.epochs));
  terminal.print(EXPLANATION);
}

function legend(steps: number): string {
  return `different units: columns of the hidden kernel that differ in any bit, before and
after training. |w_i - w_j| of two units, and how far any weight moved: the
largest after any of the ${count(steps)} steps.`;
}

const EXPLANATION = `
Units that start equal compute the same output, receive the same gradient and
take the same step. With zeros and sigmoid all ${HIDDEN} change, but as one, to the
last bit: the network has a single hidden unit. With zeros and ReLU not even
that: the hidden output is 0, so the output's kernel gets no gradient; that
kernel stays 0, so the hidden one gets none; only the output's bias learns how
frequent each digit is. Random weights (Glorot, He) make the units different
from the start.`;

/** Trains and looks at the hidden kernel after every step. */
export async function observe(
  { train, test }: Digits,
  { seed, epochs }: Pick<Options, "seed" | "epochs">,
  activation: ActivationName,
  init: InitializerName,
): Promise<Symmetry> {
  const model = classifier({ seed, activation, init });
  const start = hiddenKernel(model).slice();
  let spread = spreadOf(start);
  let moved = 0;
  const onBatch = () => {
    const kernel = hiddenKernel(model);
    spread = Math.max(spread, spreadOf(kernel));
    moved = Math.max(moved, distance(kernel, start));
  };
  await model.fit(train, { epochs, batchSize: BATCH, onBatch });
  return {
    activation,
    init,
    distinctBefore: distinctColumns(start),
    distinctAfter: distinctColumns(hiddenKernel(model)),
    spread,
    moved,
    testAccuracy: model.evaluate(test).accuracy ?? 0,
  };
}

/** Shapes: [in, units], flat: a unit is a column. */
function hiddenKernel(model: Model): Float32Array {
  return model.parameters[0].value;
}

function distinctColumns(kernel: Float32Array): number {
  const bits = new Uint32Array(kernel.buffer, kernel.byteOffset, kernel.length);
  const columns = Array.from({ length: HIDDEN }, (_, unit) => bits.filter((_, i) => i % HIDDEN === unit).join());
  return new Set(columns).size;
}

/** Largest difference within a row, that is between two units' weights of one input. */
function spreadOf(kernel: Float32Array): number {
  let spread = 0;
  for (let from = 0; from < kernel.length; from += HIDDEN) {
    let low = kernel[from];
    let high = low;
    for (let i = from + 1; i < from + HIDDEN; i++) {
      low = Math.min(low, kernel[i]);
      high = Math.max(high, kernel[i]);
    }
    spread = Math.max(spread, high - low);
  }
  return spread;
}

function distance(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

function show(value: number): string {
  return value === 0 ? "0" : value.toPrecision(3);
}
