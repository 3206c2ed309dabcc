// synaptic: sigmoid units, one update a row, the network compiled by the library into one JavaScript function.
import { type CreateSubject, oneHot, row } from "../subject.ts";

const RATE = 0.1;

export const createSynaptic: CreateSubject = async ({ sizes }) => {
  // @ts-expect-error: a peer, not a dependency
  const { default: synaptic } = await import("synaptic");
  const network = new synaptic.Architect.Perceptron(...sizes);
  const classes = sizes[sizes.length - 1];
  const targets = Array.from({ length: classes }, (_, label) => oneHot(label, classes));

  return {
    step: (x, labels) => {
      let error = 0;
      for (let i = 0; i < labels.length; i++) {
        const output: number[] = network.activate(row(x, sizes[0], i));
        const target = targets[labels[i]];
        for (let j = 0; j < classes; j++) error += (target[j] - output[j]) ** 2;
        network.propagate(RATE, target);
      }
      return error / labels.length;
    },
    predict: (x) => {
      const out = new Float32Array((x.length / sizes[0]) * classes);
      for (let i = 0; i < x.length / sizes[0]; i++) out.set(network.activate(row(x, sizes[0], i)), i * classes);
      return out;
    },
    fit: ({ x, y }, epochs) => {
      const data = Array.from(y, (label, i) => ({ input: row(x, sizes[0], i), output: targets[label] }));
      new synaptic.Trainer(network).train(data, { rate: RATE, iterations: epochs, error: 0, shuffle: true });
    },
  };
};
