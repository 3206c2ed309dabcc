// One optimizer step on a batch of the caller's.
import { checkKeys } from "../options.ts";
import { type ReadDataset, readBatch } from "./data.ts";
import type { Engine } from "./engine.ts";
import { apartFrom, type Inputs } from "./matrix.ts";
import type { TargetsInput } from "./targets.ts";
import type { Trainer } from "./trainer.ts";

/** Options of `trainBatch`. */
export interface TrainBatchOptions {
  /** One weight a row, >= 0. */
  sampleWeight?: ArrayLike<number> | undefined;
}

/** The loss before the step. Errors: SHAPE, DATA, CONFIG, NUMERIC. */
export function trainBatch(trainer: Trainer, x: Inputs, y: TargetsInput, options: TrainBatchOptions): number {
  checkKeys("trainBatch", options, ["sampleWeight"]);
  const { sampleWeight } = options;
  const data = readBatch("trainBatch", { x, y, sampleWeight }, trainer.shape);
  const room = makeRoom(trainer.engine, data);
  return trainer.step("trainBatch", room, { start: 0, count: data.rows });
}

/** Plans for these rows if need be; data that lies in the model's own memory, which may move, is copied out first. */
function makeRoom(engine: Engine, data: ReadDataset): ReadDataset {
  if (data.rows <= engine.placement.capacity) return data;
  const { buffers } = engine;
  const { kind, matrix } = data.targets;
  const apart = { ...data, x: apartFrom(data.x, buffers), targets: { kind, matrix: apartFrom(matrix, buffers) } };
  engine.ensureCapacity("trainBatch", data.rows);
  return apart;
}
