// brain.js: sigmoid units, squared error, one update a row with momentum.
import { type CreateSubject, oneHot, row } from "../subject.ts";

export const createBrain: CreateSubject = async ({ sizes }) => {
  // @ts-expect-error: a peer, not a dependency
  const { default: brain } = await import("brain.js");
  const network = new brain.NeuralNetwork();
  network.sizes = [...sizes];
  network.initialize();
  const classes = sizes[sizes.length - 1];
  const targets = Array.from({ length: classes }, (_, label) => Float32Array.from(oneHot(label, classes)));

  return {
    step: (x, labels) => {
      let error = 0;
      for (let i = 0; i < labels.length; i++) {
        error += network.trainPattern({ input: row(x, sizes[0], i), output: targets[labels[i]] }, true);
      }
      return error / labels.length;
    },
    predict: (x) => {
      const out = new Float32Array((x.length / sizes[0]) * classes);
      for (let i = 0; i < x.length / sizes[0]; i++) out.set(network.run(row(x, sizes[0], i)), i * classes);
      return out;
    },
    fit: ({ x, y }, epochs) => {
      const data = Array.from(y, (label, i) => ({
        input: Array.from(row(x, sizes[0], i)),
        output: Array.from(targets[label]),
      }));
      network.train(data, { iterations: epochs, errorThresh: Number.MIN_VALUE });
    },
  };
};
