// The control loop as compiled by main.mjs from control/control.ts: 96 n floating-point operations a call.
import { readFileSync } from "node:fs";

/** null where the engine lacks the instructions. */
export function loadControl(name: "control" | "control-relaxed"): ((n: number) => number) | null {
  const bytes = readFileSync(new URL(`./${name}.wasm`, import.meta.url));
  if (!WebAssembly.validate(bytes)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  return exports.control as (n: number) => number;
}
