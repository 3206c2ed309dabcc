import type { RunOptions } from "../../../src/index.ts";
import { load, type Predictor } from "../../../src/infer.ts";
import { createModel, type Task } from "../../workloads/networks.ts";
import type { CreateSubject, Subject } from "../subject.ts";

export const createSimdgrad =
  (options: RunOptions): CreateSubject =>
  (task) => {
    const model = createModel(task, options);
    return {
      step: (x, labels) => model.trainBatch(x, labels),
      predict: predictInto(task, model),
      fit: ({ x, y }, epochs) => model.fit({ x, y }, { epochs, batchSize: task.batch }),
    };
  };

/** What only predicts, its weights packed once. */
export const createPredictor: CreateSubject = (task) => ({
  predict: predictInto(task, load(createModel(task).save(), { maxBatch: task.batch })),
});

function predictInto(task: Task, model: Pick<Predictor, "predict" | "predictInto">): Subject["predict"] {
  const [inputs] = task.sizes;
  const out = new Float32Array(task.batch * task.sizes[task.sizes.length - 1]);
  return (x) => (x.length === task.batch * inputs ? model.predictInto(x, out) : model.predict(x));
}
