// jax-js: the loss differentiated by valueAndGrad, the whole step (gradient and Adam) one jit-compiled function. Arrays
// are reference-counted: `.ref` where one is used again.
import { adamDefaults } from "../../baselines/network.ts";
import type { CreateSubject } from "../subject.ts";

export const createJax: CreateSubject = async ({ sizes }, parameters) => {
  // @ts-expect-error: a peer, not a dependency
  const { jit, valueAndGrad, nn, numpy: np } = await import("@jax-js/jax");
  type NdArray = ReturnType<typeof np.array>;
  const { learningRate, beta1, beta2, epsilon } = adamDefaults;
  const classes = sizes[sizes.length - 1];

  const logits = (p: NdArray[], x: NdArray): NdArray => {
    let h = x;
    for (let i = 0; i < p.length; i += 2) h = np.matmul(i > 0 ? nn.relu(h) : h, p[i]).add(p[i + 1]);
    return h;
  };
  const loss = (p: NdArray[], x: NdArray, labels: NdArray): NdArray => {
    const [rows] = labels.shape;
    return nn
      .logSoftmax(logits(p, x))
      .mul(nn.oneHot(labels, classes))
      .sum()
      .mul(-1 / rows);
  };
  const update = jit((p: NdArray[], m: NdArray[], v: NdArray[], c1: NdArray, c2: NdArray, x: NdArray, y: NdArray) => {
    const copies = p.map((each) => each.ref);
    const [value, g] = valueAndGrad(loss)(copies, x, y);
    const first = m.map((mi, i) => mi.mul(beta1).add(g[i].ref.mul(1 - beta1)));
    const second = v.map((vi, i) => vi.mul(beta2).add(np.square(g[i]).mul(1 - beta2)));
    const next = p.map((pi, i) => {
      const rate = first[i].ref.mul(c1.ref).mul(learningRate);
      return pi.sub(rate.div(np.sqrt(second[i].ref.mul(c2.ref)).add(epsilon)));
    });
    c1.dispose();
    c2.dispose();
    return { loss: value, p: next, m: first, v: second };
  });
  const infer = jit((p: NdArray[], x: NdArray) => nn.softmax(logits(p, x)));

  const matrix = (x: Float32Array, columns: number): NdArray => np.array(x).reshape([x.length / columns, columns]);
  let p: NdArray[] = parameters.flatMap(({ kernel, bias }) => [matrix(kernel, bias.length), np.array(bias)]);
  let [m, v] = [0, 1].map(() => p.map(({ shape }) => np.zeros(shape)));
  let t = 0;

  return {
    step: (x, labels) => {
      t++;
      const [c1, c2] = [beta1, beta2].map((beta) => np.array(1 / (1 - beta ** t)));
      const result = update(p, m, v, c1, c2, matrix(x, sizes[0]), np.array(labels));
      ({ p, m, v } = result);
      return result.loss.dataSync()[0];
    },
    predict: (x) => {
      const weights = p.map((each) => each.ref);
      return infer(weights, matrix(x, sizes[0])).dataSync();
    },
  };
};
