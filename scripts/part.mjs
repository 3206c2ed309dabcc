// @ts-check
// A part of a build of the kernels: some of its exports and what they need.
import { readFileSync } from "node:fs";
import binaryen from "binaryen";

/** The names that a module of kernels re-exports: `export { a, b } from "./c";`. @param {string | URL} file */
export function exportsOf(file) {
  const lists = [...readFileSync(file, "utf8").matchAll(/^export \{([^}]*)\}/gm)];
  return lists.flatMap(([, names]) => names.split(",").map((name) => name.trim()));
}

/** @param {Uint8Array} bytes @param {readonly string[]} names @returns {Uint8Array} */
export function partOf(bytes, names) {
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.MVP | binaryen.Features.SIMD128 | binaryen.Features.BulkMemory);
    const all = Array.from({ length: module.getNumExports() }, (_, i) => {
      return binaryen.getExportInfo(module.getExportByIndex(i)).name;
    });
    for (const name of all) if (name !== "memory" && !names.includes(name)) module.removeExport(name);
    // Arguments that are always the same go, and with them the branches that they close.
    binaryen.setOptimizeLevel(3);
    binaryen.setShrinkLevel(0);
    module.runPasses(["remove-unused-module-elements", "dae-optimizing", "remove-unused-module-elements", "vacuum"]);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
