// The first training step of 784-128-10, and nothing else.
import { adam, dense, sequential } from "simdgrad";

const model = sequential({
  input: 784,
  layers: [dense(128, { activation: "relu" }), dense(10, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
});
model.trainBatch(new Float32Array(32 * 784).fill(0.5), new Int32Array(32));
