// Runs a bundled edge function: node edge-runtime.mjs FOLDER BUNDLE WASM_FOLDER
// The host compiles the kernels; within the context no bytes are compiled.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, bundle, wasm] = process.argv.slice(2);
const { EdgeRuntime } = createRequire(join(folder, "package.json"))("edge-runtime");

const names = readdirSync(wasm).filter((name) => name.endsWith(".wasm"));
const wasmModules = Object.fromEntries(
  names.map((name) => [name, new WebAssembly.Module(readFileSync(join(wasm, name)))]),
);
const runtime = new EdgeRuntime({
  codeGeneration: { strings: false, wasm: false },
  extend: (context) => Object.assign(context, { wasmModules }),
});
runtime.evaluate(readFileSync(bundle, "utf8"));
const response = await runtime.dispatchFetch("http://localhost/");
const text = await response.text();
if (!response.ok) throw new Error(`status ${response.status} ${text}`);
console.log(text);
