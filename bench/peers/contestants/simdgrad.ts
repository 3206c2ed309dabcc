import { sequential } from "../../../src/index.ts";
import { createModel } from "../../workloads/networks.ts";
import type { CreateSubject } from "../subject.ts";

/** `threads` comes here as a second option. */
export const createSimdgrad =
  (simd: "strict" | "relaxed"): CreateSubject =>
  (task) => {
    const start = createModel(task);
    const model = sequential({ ...start.spec, simd, maxBatch: task.batch });
    model.setWeights(start.weights);
    const outputs = task.sizes[task.sizes.length - 1];
    const out = new Float32Array(task.batch * outputs);
    return {
      step: (x, labels) => model.trainBatch(x, labels),
      predict: (x) => (x.length === task.batch * task.sizes[0] ? model.predictInto(x, out) : model.predict(x)),
      fit: ({ x, y }, epochs) => model.fit({ x, y }, { epochs, batchSize: task.batch }),
    };
  };
