// toygrad: row by row, an update every `batch` rows.
import { adamDefaults } from "../../baselines/network.ts";
import { type CreateSubject, row } from "../subject.ts";

export const createToygrad: CreateSubject = async ({ sizes, batch }, parameters) => {
  // @ts-expect-error: a peer, not a dependency
  const { NeuralNetwork, Tensor, Trainers } = await import("toygrad");
  const hidden = sizes.slice(1).flatMap((filters, i) => {
    const dense = { type: "dense", filters };
    return i < sizes.length - 2 ? [dense, { type: "relu" }] : [dense];
  });
  const network = new NeuralNetwork({
    layers: [{ type: "input", sx: 1, sy: 1, sz: sizes[0] }, ...hidden, { type: "softmax" }],
  });
  parameters.forEach(({ kernel, bias }, i) => {
    const { filters, biases } = network.layers[1 + 2 * i];
    for (let j = 0; j < bias.length; j++) {
      biases.w[j] = bias[j];
      for (let k = 0; k < sizes[i]; k++) filters[j].w[k] = kernel[k * bias.length + j];
    }
  });
  const { epsilon: eps, ...rest } = adamDefaults;
  const trainer = new Trainers.Adam(network, { batchSize: batch, eps, ...rest });
  const input = (x: Float32Array, i: number) => new Tensor(1, 1, sizes[0], row(x, sizes[0], i));

  return {
    step: (x, labels) => {
      let loss = 0;
      for (let i = 0; i < labels.length; i++) loss += trainer.train(input(x, i), labels[i]).cost;
      return loss / labels.length;
    },
    predict: (x) => {
      const classes = sizes[sizes.length - 1];
      const out = new Float32Array((x.length / sizes[0]) * classes);
      for (let i = 0; i < x.length / sizes[0]; i++) out.set(network.forward(input(x, i), false).w, i * classes);
      return out;
    },
  };
};
