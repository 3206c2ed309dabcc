// Fashion-MNIST, where Debian's dataset-fashion-mnist is installed: a long test.
import { expect, it } from "vitest";
import { isInstalled, readImages } from "../../examples/fashion-mnist/images.ts";
import { trainOnce } from "../../examples/fashion-mnist/train.ts";
import { LONG } from "../support/long.ts";

// Skipped outside test:long, for it takes minutes, and where the images are not installed.
it.skipIf(!LONG || !isInstalled())("784-256-128-10: mean test accuracy of seeds 1 to 3 at least 0.880", async () => {
  const train = readImages("train");
  const test = readImages("t10k");
  expect([train.y.length, test.y.length]).toEqual([60_000, 10_000]);
  const accuracies: number[] = [];
  for (let seed = 1; seed <= 3; seed++) accuracies.push((await trainOnce(seed, 1, train, test)).accuracy);
  expect(accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / 3).toBeGreaterThanOrEqual(0.88);
});
