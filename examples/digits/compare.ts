// `--compare`: four optimizers from the same weights, on the same batches in the same order.
import { adam, type OptimizerSpec, rmsprop, sgd } from "../../src/index.ts";
import { type Curve, drawCurves } from "./curves.ts";
import type { Digits } from "./digits.ts";
import { BATCH, classifier } from "./network.ts";
import type { Options } from "./options.ts";
import { heading, type Terminal, table } from "./terminal.ts";

const GOAL = 0.1;
const LAST_EPOCHS = 5;

/** Learning rates: of 0.001, 0.003, 0.01, ... the one that reaches the goal first, in the mean of seeds 1 to 5. The
 *  next larger one was slower or diverged. */
const contenders: readonly { name: string; mark: string; optimizer: OptimizerSpec }[] = [
  { name: "SGD", mark: "s", optimizer: sgd({ learningRate: 1 }) },
  { name: "SGD, momentum 0.9", mark: "m", optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) },
  { name: "RMSProp", mark: "r", optimizer: rmsprop({ learningRate: 0.01 }) },
  { name: "Adam", mark: "a", optimizer: adam({ learningRate: 0.03 }) },
];

export interface Trial extends Curve {
  readonly learningRate: number;
  /** First epoch whose loss is below the goal. */
  readonly reached: number | undefined;
  /** See `wobble`. */
  readonly wobble: number | undefined;
  /** Over all training rows, after the last step. */
  readonly finalLoss: number;
  readonly testAccuracy: number;
}

export async function compareOptimizers(digits: Digits, options: Options, terminal: Terminal): Promise<void> {
  heading(terminal, `Training loss of four optimizers, from the same weights, over ${options.epochs} epochs`);
  const trials = await runTrials(digits, options);
  terminal.print(drawCurves(trials, GOAL, terminal));
  terminal.print();
  terminal.print(
    table([
      ["", "rate", `epochs to ${GOAL}`, "wobble", "final loss", "test accuracy"],
      ...trials.map(({ mark, name, learningRate, reached, wobble, finalLoss, testAccuracy }) => [
        `${mark} ${name}`,
        String(learningRate),
        reached === undefined ? "-" : String(reached),
        wobble === undefined ? "-" : `${(100 * wobble).toFixed(1)} %`,
        finalLoss.toExponential(1),
        testAccuracy.toFixed(4),
      ]),
    ]),
  );
  terminal.print(CAPTION);
}

const CAPTION = `rate: of 0.001, 0.003, 0.01, ... the one that gets to ${GOAL} first (seeds 1 to 5).
epochs to ${GOAL}: the first epoch whose mean training loss is below that.
wobble: how far the loss over all training rows, after every step of the last ${LAST_EPOCHS}
epochs, strays from its moving average over an epoch: standard deviation in
percent of the mean. Small is smooth.`;

/** The first model's weights are copied into the others, and its seed gives all the same shuffles. */
export async function runTrials(
  { train, test }: Digits,
  { seed, epochs }: Pick<Options, "seed" | "epochs">,
): Promise<Trial[]> {
  const models = contenders.map(({ optimizer }) => classifier({ seed, optimizer }));
  const start = models[0].weights.slice();
  const trials: Trial[] = [];
  for (const [i, model] of models.entries()) {
    const { name, mark } = contenders[i];
    const tail: number[] = [];
    const onBatch = ({ epoch }: { epoch: number }) => {
      if (epoch > epochs - LAST_EPOCHS) tail.push(model.evaluate(train).loss);
    };
    model.setWeights(start);
    const history = await model.fit(train, { epochs, batchSize: BATCH, onBatch });
    const losses = history.epochs.map(({ loss }) => loss);
    trials.push({
      name,
      mark,
      losses,
      learningRate: model.learningRate,
      reached: losses.findIndex((loss) => loss < GOAL) + 1 || undefined,
      wobble: wobble(tail, Math.ceil(train.rows / BATCH)),
      finalLoss: model.evaluate(train).loss,
      testAccuracy: model.evaluate(test).accuracy ?? 0,
    });
  }
  return trials;
}

/** Standard deviation of a series around its centred moving average, over the series' mean. Undefined when the series
 *  is too short to have an average at two points. */
export function wobble(series: readonly number[], window: number): number | undefined {
  const half = Math.floor(window / 2);
  const squares: number[] = [];
  for (let i = half; i + half < series.length; i++) {
    squares.push((series[i] - mean(series.slice(i - half, i + half + 1))) ** 2);
  }
  return squares.length < 2 ? undefined : Math.sqrt(mean(squares)) / mean(series);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
