import type { RunOptions } from "../../../src/index.ts";
import { createModel } from "../../workloads/networks.ts";
import type { CreateSubject } from "../subject.ts";

export const createSimdgrad =
  (options: RunOptions): CreateSubject =>
  (task) => {
    const model = createModel(task, options);
    const [inputs] = task.sizes;
    const out = new Float32Array(task.batch * task.sizes[task.sizes.length - 1]);
    return {
      step: (x, labels) => model.trainBatch(x, labels),
      predict: (x) => (x.length === task.batch * inputs ? model.predictInto(x, out) : model.predict(x)),
      fit: ({ x, y }, epochs) => model.fit({ x, y }, { epochs, batchSize: task.batch }),
    };
  };
