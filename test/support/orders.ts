// In which order a fit takes rows.
import { type DataSource, dense, type FitOptions, sequential, sgd } from "../../src/index.ts";

/** By epoch, a number a batch: of batches of one row, the row's feature, which tells one from another.
 *  `data`: x of one feature, y all 0. */
export async function ordersOf(data: DataSource, options: FitOptions, seed: number): Promise<number[][]> {
  const seen: number[][] = [];
  // One weight, no bias, rate 0: the loss of a batch of one is the square of its feature.
  const model = sequential({
    input: 1,
    layers: [dense(1, { useBias: false, kernelInit: "ones" })],
    loss: "mean-squared-error",
    optimizer: sgd({ learningRate: 0 }),
    seed,
  });
  const onBatch: FitOptions["onBatch"] = ({ epoch, loss }) => {
    seen[epoch - 1] ??= [];
    seen[epoch - 1].push(Math.sqrt(loss));
  };
  await model.fit(data, { ...options, onBatch });
  return seen;
}
