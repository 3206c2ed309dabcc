// A module that a caller brings: whether it holds the kernels of this version, all of them.
import { kernelNames } from "../generated/names.ts";
import type { WasmModule } from "../wasm.ts";

/** Whether it exports every kernel and wants env.memory alone. */
export function hasKernels(module: WasmModule): boolean {
  const functions = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "function");
  const names = functions.map(({ name }) => name);
  const imports = WebAssembly.Module.imports(module).map(({ module, name, kind }) => `${module}.${name} ${kind}`);
  return imports.join() === "env.memory memory" && kernelNames.split(" ").every((name) => names.includes(name));
}
