// The demo's network learns real data.
import { expect, it } from "vitest";
import { digitsModel, readDigits } from "../support/digits.ts";

it("digits 64-64-10: mean test accuracy of seeds 1 to 5 at least 0.965, none under 0.955", async () => {
  const { train, test } = readDigits();
  const accuracies: number[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    const model = digitsModel({ seed });
    const { epochs } = await model.fit(train, { epochs: 30, batchSize: 32 });
    expect(epochs).toHaveLength(30);
    expect(epochs[29].loss).toBeLessThan(epochs[0].loss / 5);
    accuracies.push(model.evaluate(test).accuracy as number);
  }
  expect(Math.min(...accuracies)).toBeGreaterThanOrEqual(0.955);
  expect(accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / 5).toBeGreaterThanOrEqual(0.965);
});
