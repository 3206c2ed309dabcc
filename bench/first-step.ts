// A whole program, for the cold start: the first training step of 784-128-10 with batch 32.
import { adam, dense, sequential } from "../src/index.ts";

const model = sequential({
  input: 784,
  layers: [dense(128, { activation: "relu" }), dense(10, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
});
const x = Float32Array.from({ length: 32 * 784 }, (_, i) => (i % 255) / 255);
const y = Int32Array.from({ length: 32 }, (_, i) => i % 10);
if (!(model.trainBatch(x, y) > 0)) process.exitCode = 1;
