// The network that every show trains.
import {
  type ActivationName,
  adam,
  dense,
  type InitializerName,
  type OptimizerSpec,
  sequential,
} from "../../src/index.ts";
import { CLASSES, PIXELS } from "./digits.ts";

export const HIDDEN = 64;
export const BATCH = 32;

export interface Choices {
  seed: number;
  activation?: ActivationName;
  init?: InitializerName | undefined;
  optimizer?: OptimizerSpec;
}

export function classifier({ seed, activation = "relu", init, optimizer = adam({ learningRate: 1e-3 }) }: Choices) {
  const kernelInit = init && { kernelInit: init };
  return sequential({
    input: PIXELS,
    layers: [dense(HIDDEN, { activation, ...kernelInit }), dense(CLASSES, { activation: "softmax", ...kernelInit })],
    loss: "cross-entropy",
    optimizer,
    seed,
  });
}
