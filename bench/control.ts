// The control loop as compiled by main.mjs from control/control.ts: 96 n floating-point operations a call.
import { readFileSync } from "node:fs";

/** null where the engine lacks the instructions. */
export function loadControl(name: "control" | "control-relaxed"): ((n: number) => number) | null {
  const bytes = readFileSync(new URL(`./${name}.wasm`, import.meta.url));
  if (!WebAssembly.validate(bytes)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  const run = exports.control as (n: number, multiplier: number) => number;
  return (n) => run(n, -1e-7);
}
