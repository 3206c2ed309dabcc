// TensorFlow.js on its WebAssembly backend, in two ways: as its documentation trains (trainOnBatch, fit), and by a
// gradient written by hand. Its matMul runs the fast product only on operands that are not transposed, and its own
// gradients ask for transposed ones; the second way transposes first.
import { createRequire } from "node:module";
import { adamDefaults } from "../../baselines/network.ts";
import type { CreateSubject } from "../subject.ts";

async function start() {
  // @ts-expect-error: a peer, not a dependency
  const { default: tf } = await import("@tensorflow/tfjs");
  // @ts-expect-error: a peer, not a dependency
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  const binary = createRequire(import.meta.url).resolve(
    "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
  );
  setWasmPaths(binary.slice(0, binary.lastIndexOf("tfjs-backend")));
  await tf.setBackend("wasm");
  await tf.ready();
  const { learningRate, beta1, beta2, epsilon } = adamDefaults;
  return { tf, optimizer: tf.train.adam(learningRate, beta1, beta2, epsilon) };
}

export const createTfjsLayers: CreateSubject = async ({ sizes, batch }, parameters) => {
  const { tf, optimizer } = await start();
  const layers = sizes.slice(1).map((units, i) =>
    tf.layers.dense({
      units,
      inputShape: [sizes[i]],
      activation: i < sizes.length - 2 ? "relu" : "softmax",
    }),
  );
  const model = tf.sequential({ layers });
  parameters.forEach(({ kernel, bias }, i) => {
    layers[i].setWeights([tf.tensor2d(kernel, [sizes[i], bias.length]), tf.tensor1d(bias)]);
  });
  model.compile({ optimizer, loss: "sparseCategoricalCrossentropy" });
  const tensors = (x: Float32Array, labels: Int32Array) => [
    tf.tensor2d(x, [labels.length, sizes[0]]),
    tf.tensor1d(Float32Array.from(labels)),
  ];
  return {
    step: async (x, labels) => {
      const inputs = tensors(x, labels);
      const loss = await model.trainOnBatch(...inputs);
      tf.dispose(inputs);
      return loss;
    },
    predict: (x) =>
      tf.tidy(() => {
        const rows = x.length / sizes[0];
        return model.predict(tf.tensor2d(x, [rows, sizes[0]]), { batchSize: rows }).dataSync();
      }),
    fit: async ({ x, y }, epochs) => {
      const inputs = tensors(x, y);
      await model.fit(...inputs, { epochs, batchSize: batch, verbose: 0, yieldEvery: "never" });
      tf.dispose(inputs);
    },
  };
};

export const createTfjsManual: CreateSubject = async ({ sizes }, parameters) => {
  const { tf, optimizer } = await start();
  type Tensor = ReturnType<typeof tf.tensor2d>;
  const classes = sizes[sizes.length - 1];
  const variables = parameters.map(({ kernel, bias }, i) => ({
    w: tf.variable(tf.tensor2d(kernel, [sizes[i], bias.length])),
    b: tf.variable(tf.tensor1d(bias)),
  }));

  /** Every layer's input, then the logits. */
  const forward = (x: Tensor): Tensor[] => {
    const values = [x];
    for (const [i, { w, b }] of variables.entries()) {
      const z = tf.add(tf.matMul(values[i], w), b);
      values.push(i < variables.length - 1 ? tf.relu(z) : z);
    }
    return values;
  };

  /** The loss, and one gradient a variable by name. */
  const gradients = (x: Tensor, labels: Tensor, rows: number) => {
    const values = forward(x);
    const y = tf.oneHot(labels, classes);
    const logProbabilities = tf.logSoftmax(values[variables.length]);
    const loss = tf.div(tf.sum(tf.mul(logProbabilities, y)), -rows);
    const found: Record<string, Tensor> = {};
    let dz = tf.div(tf.sub(tf.exp(logProbabilities), y), rows);
    for (let i = variables.length - 1; i >= 0; i--) {
      const { w, b } = variables[i];
      found[w.name] = tf.matMul(tf.transpose(values[i]), dz);
      found[b.name] = tf.sum(dz, 0);
      if (i > 0) dz = tf.mul(tf.matMul(dz, tf.transpose(w)), tf.step(values[i]));
    }
    return { loss, found };
  };

  return {
    step: (x, labels) =>
      tf.tidy(() => {
        const rows = labels.length;
        const { loss, found } = gradients(tf.tensor2d(x, [rows, sizes[0]]), tf.tensor1d(labels, "int32"), rows);
        optimizer.applyGradients(found);
        return loss.dataSync()[0];
      }),
    predict: (x) =>
      tf.tidy(() => tf.softmax(forward(tf.tensor2d(x, [x.length / sizes[0], sizes[0]])).at(-1)).dataSync()),
  };
};
