import { adam, dense, type SequentialConfig } from "../../src/index.ts";
import { randomSource } from "./random.ts";

/** Sizes that divide by no number of lanes; large enough for every list to be shared. */
export const oddConfig: SequentialConfig = {
  input: 301,
  layers: [dense(517, { activation: "relu" }), dense(263, { activation: "gelu" }), dense(7, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
  seed: 4,
};

export const ODD_ROWS = 131;

/** One batch of such rows, and what its numbers came from. */
export function oddBatch() {
  const random = randomSource(6);
  const x = random.floats(ODD_ROWS * 301);
  const y = Int32Array.from({ length: ODD_ROWS }, () => random.integer(7));
  return { x, y, random };
}
