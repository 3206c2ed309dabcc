// From nothing to the end of the first training step: a process a sample, beside one that does nothing.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Trial, Workload } from "../workload.ts";

function processTrial(...args: string[]): Trial {
  const run = () => {
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`Expected node ${args.join(" ")} to succeed, received:\n${stderr}`);
  };
  return { run, units: 1, elsewhere: true };
}

export const coldStart: Workload = {
  name: "cold start",
  title: "Cold start: a process up to the end of its first training step, 784-128-10 batch 32",
  unit: "ms",
  contestants: {
    "an empty process": () => processTrial("-e", "0"),
    "the first step": () => processTrial(fileURLToPath(new URL("./first-step.mjs", import.meta.url))),
  },
};
