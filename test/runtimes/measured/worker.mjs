// A Worker of workerd that trains 784-512-256-10 and tells what the model's memory takes.
import { adam, dense, planMemory, sequential } from "simdgrad";

const ROWS = 256;
const config = {
  input: 784,
  layers: [
    dense(512, { activation: "relu" }),
    dense(256, { activation: "relu" }),
    dense(10, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam(),
};

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/idle") return Response.json({});
    const model = sequential(config);
    const x = new Float32Array(ROWS * 784).fill(0.5);
    const y = Int32Array.from({ length: ROWS }, (_, i) => i % 10);
    const { epochs } = await model.fit({ x, y }, { epochs: 2, batchSize: 64 });
    return Response.json({ planned: planMemory(config).total, taken: model.memory.total, loss: epochs[1].loss });
  },
};
