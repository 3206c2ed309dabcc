// @ts-check
// The kernels: compiled, those that predict by themselves, as modules of text and as files.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { encodeDelta } from "../delta.mjs";
import { reorder } from "../order.mjs";
import { exportsOf, partOf } from "../part.mjs";
import { encodeText } from "../text.mjs";
import { node, writeAtomically } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** The builds of the kernels, and their bytes as modules: every tool and bundler sees them inlined, none has to fetch.
 *  The relaxed build as what differs from the strict.
 *  @returns {Step[]} */
export function kernels() {
  const strict = "build/strict.wasm";
  const relaxed = "build/relaxed.wasm";
  const infer = "build/infer.wasm";
  return [
    wasm("release", "strict"),
    wasm("relaxed", "relaxed"),
    part("assembly/infer.ts", infer),
    inlined("strict", "strictWasm", [strict], () => readFileSync(strict)),
    inlined("relaxed", "relaxedDelta", [strict, relaxed, "scripts/delta.mjs"], () =>
      encodeDelta(readFileSync(strict), readFileSync(relaxed)),
    ),
    inlined("infer", "inferWasm", [infer], () => readFileSync(infer)),
    names(strict),
  ];
}

/** @param {string} target @param {string} name @returns {Step} */
function wasm(target, name) {
  const output = `build/${name}.wasm`;
  return {
    name: `wasm (${target})`,
    inputs: ["assembly", "asconfig.json", "scripts/order.mjs"],
    outputs: [output],
    run: async () => {
      const temporary = `build/${name}.tmp.wasm`;
      compile(temporary, target);
      if (target !== "debug") {
        writeFileSync(temporary, reorder(readFileSync(temporary)));
      }
      renameSync(temporary, output);
    },
  };
}

/** With assertions. */
export function debugKernels() {
  return wasm("debug", "debug");
}

/** The kernels that `list` exports, cut out of a build of all. @param {string} list @param {string} to @returns {Step} */
function part(list, to) {
  return {
    name: to,
    inputs: ["assembly", "asconfig.json", "scripts/part.mjs", "scripts/order.mjs"],
    outputs: [to],
    run: () => {
      const whole = to.replace(".wasm", ".tmp.wasm");
      compile(whole, "release", list);
      writeAtomically(to, reorder(partOf(readFileSync(whole), exportsOf(list))));
      rmSync(whole);
    },
  };
}

/** What asconfig.json names, and `more`. @param {string} to @param {string} target @param {string[]} more */
function compile(to, target, ...more) {
  node("node_modules/assemblyscript/bin/asc.js", ...more, "--target", target, "--outFile", to);
}

/** @param {string} name @param {string} constant @param {string[]} inputs @param {() => Uint8Array} bytes @returns {Step} */
function inlined(name, constant, inputs, bytes) {
  const output = `src/generated/${name}.ts`;
  return {
    name: output,
    inputs: [...inputs, "scripts/text.mjs"],
    outputs: [output],
    run: () => {
      const text = JSON.stringify(encodeText(bytes()));
      writeAtomically(output, `// Made by scripts/build.mjs.\nexport const ${constant}: string =\n  ${text};\n`);
    },
  };
}

/** The kernels' names, for who brings a module. @param {string} wasm @returns {Step} */
function names(wasm) {
  const output = "src/generated/names.ts";
  return {
    name: output,
    inputs: [wasm],
    outputs: [output],
    run: () => {
      const exported = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(wasm)));
      const functions = exported.filter(({ kind }) => kind === "function").map(({ name }) => name);
      const text = JSON.stringify(functions.join(" "));
      writeAtomically(output, `// Made by scripts/build.mjs.\nexport const kernelNames: string =\n  ${text};\n`);
    },
  };
}

/** The kernels as files, for runtimes that import them, and what such an import gives. @returns {Step} */
export function kernelFiles() {
  const files = {
    "build/strict.wasm": "dist/kernels.wasm",
    "build/relaxed.wasm": "dist/kernels-relaxed.wasm",
    "build/infer.wasm": "dist/infer.wasm",
  };
  const types = "dist/module.d.ts";
  return {
    name: "dist/kernels.wasm",
    inputs: Object.keys(files),
    outputs: [...Object.values(files), types],
    run: () => {
      for (const [from, to] of Object.entries(files)) writeAtomically(to, readFileSync(from));
      const declared = "declare const module: WasmModule;\nexport default module;\n";
      writeAtomically(types, `import type { WasmModule } from "./types/wasm.js";\n\n${declared}`);
    },
  };
}
