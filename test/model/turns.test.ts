// How often fit lets the event loop turn.
import { expect, it } from "vitest";
import { dense } from "../../src/index.ts";
import { basicLayers } from "../../src/layers/basic.ts";
import type { Engine } from "../../src/model/engine.ts";
import { Turns } from "../../src/model/turns.ts";
import { compile } from "../../src/plan/compile.ts";
import { normalizeNetwork } from "../../src/plan/layout.ts";

it("is due within 2,000 steps, however small they are: some microseconds each", () => {
  const plan = compile(normalizeNetwork({ input: 1, layers: [dense(1)] }, basicLayers));
  const turns = new Turns({ plan } as Engine);
  const gaps = [0];
  for (let step = 0; step < 50_000; step++) {
    gaps[gaps.length - 1]++;
    if (turns.due(1)) gaps.push(0);
  }
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2000);
  expect(gaps[0]).toBeLessThan(200);
});
