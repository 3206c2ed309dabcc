// The network that a training's settings describe.
import type { Preprocessing } from "../data.ts";
import {
  adagrad,
  adam,
  adamw,
  dense,
  dropout,
  type LayerSpec,
  type Loss,
  type Model,
  type OptimizerSpec,
  type RunOptions,
  rmsprop,
  sequential,
  sgd,
} from "../index.ts";
import { checkMetrics } from "./measures.ts";
import { scheduled } from "./schedule.ts";
import type { Settings } from "./settings.ts";
import { classesIn } from "./training.ts";

/** How long it will be trained, which its learning rate goes by. */
export interface Length {
  readonly epochs: number;
  /** Of the part for training. */
  readonly rows: number;
}

export function networkFor(preprocessing: Preprocessing, settings: Settings, length: Length, run: RunOptions): Model {
  const { hidden, seed, labelSmoothing, metrics } = settings;
  const outputs = classesIn(preprocessing).length;
  checkMetrics(metrics ?? [], outputs);
  const [units, head, loss] =
    outputs === 0
      ? ([1, "linear", "mean-squared-error"] as const)
      : outputs === 2
        ? ([1, "sigmoid", "binary-cross-entropy"] as const)
        : ([outputs, "softmax", "cross-entropy"] as const);
  return sequential({
    input: preprocessing.inputs,
    layers: [...hidden.flatMap((width) => hiddenLayer(width, settings)), dense(units, { activation: head })],
    loss: labelSmoothing ? ({ kind: loss, labelSmoothing } as Loss) : loss,
    optimizer: optimizerOf(settings, length),
    metrics,
    seed,
    ...run,
  });
}

function hiddenLayer(width: number, { activation, dropout: rate }: Settings): LayerSpec[] {
  return [dense(width, { activation }), ...(rate ? [dropout(rate)] : [])];
}

const OPTIMIZERS = { adam, adamw, sgd, rmsprop, adagrad };

function optimizerOf(settings: Settings, { epochs, rows }: Length): OptimizerSpec {
  const { optimizer, weightDecay, clipNorm, clipValue, batchSize } = settings;
  const make = OPTIMIZERS[optimizer];
  const standard = make().learningRate as number;
  const learningRate = scheduled(settings, settings.learningRate ?? standard, epochs, Math.ceil(rows / batchSize));
  const momentum = optimizer === "sgd" ? { momentum: 0.9 } : {};
  return make({ learningRate, weightDecay, clipNorm, clipValue, ...momentum });
}
