// Loss and metrics of data, measured in inference mode.
import type { AbortSignalLike } from "../wasm.ts";
import { checkWeight, type ReadDataset, readDataset } from "./data.ts";
import { type DataSource, isStream, Stream } from "./stream.ts";
import type { Evaluation, Trainer } from "./trainer.ts";
import { Turns } from "./turns.ts";
import { yieldToEventLoop } from "./yielding.ts";

/** A data set at once, a stream as a promise. Errors: SHAPE, DATA. */
export function evaluate(trainer: Trainer, data: DataSource): Evaluation | Promise<Evaluation> {
  if (isStream(data)) {
    return measure("evaluate", trainer, new Stream("evaluate", data, 1, trainer.shape));
  }
  const set = readDataset("evaluate", data, trainer.shape);
  const measuring = trainer.startMeasuring();
  for (const _ of trainer.evaluateChunks("evaluate", set, measuring));
  return trainer.measures(measuring);
}

/** Loss and metrics of data in inference mode. Errors: DATA; a stream's own; the signal's reason. */
export async function measure(
  where: string,
  trainer: Trainer,
  data: ReadDataset | Stream,
  signal?: AbortSignalLike,
  turns = new Turns(trainer.engine),
): Promise<Evaluation> {
  const measuring = trainer.startMeasuring();
  for await (const set of data instanceof Stream ? data.chunks(trainer.engine.placement.capacity, 0, signal) : [data]) {
    for (const rows of trainer.evaluateChunks(where, set, measuring)) {
      if (!turns.due(rows)) continue;
      await yieldToEventLoop();
      signal?.throwIfAborted();
    }
  }
  checkWeight(where, { weights: Float32Array.of(measuring.sums.weight) });
  return trainer.measures(measuring);
}
