// @ts-check
// Modules of src/generated/ that carry something which is no TypeScript of ours.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";
import { writeAtomically } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** What worker lanes run, as text: a worker can be started from it without a file beside the bundle. The same as a
 *  file, for who must not start workers from text; it imports nothing, so that it serves as a module and as a script.
 *  @returns {Step} */
export function lane() {
  const output = "src/generated/lane.ts";
  const file = "dist/cjs/lane.js";
  return {
    name: output,
    inputs: ["src/runtime/lane.ts", "src/runtime/barrier.ts"],
    outputs: [output, file],
    run: async () => {
      const { outputFiles } = await bundle({
        entryPoints: ["src/runtime/lane.ts"],
        minify: true,
        format: "iife",
        target: "es2022",
      });
      const text = outputFiles[0].text.trim();
      const source = JSON.stringify(text);
      writeAtomically(output, `// Made by scripts/build.mjs.\nexport const laneSource: string =\n  ${source};\n`);
      writeAtomically(file, `${text}\n`);
    },
  };
}

/** Papa Parse as a module of one constant, which bundlers leave out where nobody reads CSV, and apart from the globals,
 *  which it would look at. @returns {Step} */
export function parser() {
  const output = "src/generated/papaparse.ts";
  return {
    name: output,
    inputs: ["package.json"],
    outputs: [output],
    run: () => {
      const library = readFileSync("node_modules/papaparse/papaparse.min.js", "utf8").replace(
        'require("stream")',
        "{}",
      );
      writeAtomically(
        output,
        "// @ts-nocheck\n// Made by scripts/build.mjs.\nexport const papa: any = /* @__PURE__ */ (() => {\n" +
          `const module = { exports: {} }, exports = module.exports, define = undefined, self = {};\n${library.trim()}\nreturn module.exports;\n})();\n`,
      );
    },
  };
}

/** Files that the command carries with it, gzipped: what its report draws with, and the data of its demo. @returns {Step} */
export function assets() {
  const files = {
    uplotScript: "node_modules/uplot/dist/uPlot.iife.min.js",
    uplotStyle: "node_modules/uplot/dist/uPlot.min.css",
    penguins: "data/penguins.csv",
  };
  const output = "src/generated/assets.ts";
  return {
    name: output,
    inputs: ["data/penguins.csv", "package.json"],
    outputs: [output],
    run: () => {
      const lines = Object.entries(files).map(([name, path]) => {
        const packed = gzipSync(readFileSync(path), { level: 9 }).toString("base64");
        return `export const ${name}: string =\n  "${packed}";\n`;
      });
      writeAtomically(output, `// Made by scripts/build.mjs.\n${lines.join("")}`);
    },
  };
}
