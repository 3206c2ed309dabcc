// @ts-check
// Builds what changed, step by step: the kernels and what src/generated/ holds first, as everything else bundles them.
import { fileURLToPath } from "node:url";
import { command } from "./steps/command.mjs";
import { bundles } from "./steps/entries.mjs";
import { examples } from "./steps/examples.mjs";
import { assets, lane, parser } from "./steps/generated.mjs";
import { debugKernels, kernelFiles, kernels } from "./steps/kernels.mjs";
import { perform } from "./steps/step.mjs";
import { declarations } from "./steps/types.mjs";

/** @param {{ debug?: boolean }} options */
export async function build({ debug = false } = {}) {
  process.chdir(fileURLToPath(new URL("..", import.meta.url)));
  for (const step of [...kernels(), lane(), parser(), assets(), ...(debug ? [debugKernels()] : [])]) {
    await perform(step);
  }
  for (const step of [bundles(), kernelFiles(), declarations(), command(), examples()]) {
    await perform(step);
  }
}
