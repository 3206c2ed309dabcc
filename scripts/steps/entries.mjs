// @ts-check
// The entries of package.json's exports as JavaScript: modules that share their chunks, and the same as CommonJS.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toCommonJs } from "../commonjs.mjs";
import { bundle, LINE_LENGTH } from "./bundle.mjs";
import { writeAtomically } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** Each entry of package.json's exports: dist/NAME.js is bundled from src/NAME.ts, what entries share into chunks. */
export function entries() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const names = new Set();
  JSON.stringify(exports, (_, value) => {
    const name = typeof value === "string" && /^\.\/dist\/([^/]+)\.js$/.exec(value)?.[1];
    if (name) names.add(name);
    return value;
  });
  return [...names];
}

/** @returns {Step} */
export function bundles() {
  const names = entries();
  const required = ["index.js", "infer.js", "kernels.js", "node.js", "data.js", "shared.js"];
  return {
    name: "dist",
    inputs: ["src", "package.json", "scripts/join.mjs", "scripts/commonjs.mjs"],
    outputs: [
      ...[...names, "shared", "training"].map((name) => `dist/${name}.js`),
      ...required.map((name) => `dist/cjs/${name}`),
    ],
    run: async () => {
      const { joinChunks } = await import("../join.mjs");
      /** @type {import("esbuild").BuildOptions} */
      const options = {
        outdir: "dist",
        format: "esm",
        target: "es2022",
        platform: "neutral",
        external: ["node:*", "*.wasm", "*.wasm?module"],
        minifySyntax: true,
      };
      const entryPoints = names.map((name) => `src/${name}.ts`);
      const split = await bundle({ ...options, entryPoints, splitting: true, plugins: [indexBeside] });
      const files = await joinChunks(split, options, {
        isSmall: (name) => /^(infer|kernels)\b/.test(name),
        isWhole: (name) => name === "index.js",
      });
      for (const [name, text] of files) {
        const code = await minified(text);
        writeAtomically(`dist/${name}`, `${code}\n`);
        if (required.includes(name)) writeAtomically(`dist/cjs/${name}`, toCommonJs(code));
      }
      writeAtomically("dist/cjs/package.json", '{ "type": "commonjs" }\n');
      removeOthers("dist", [...files.keys(), "cli.js"]);
      removeOthers("dist/cjs", [...required, "lane.js"]);
    },
  };
}

/** What an entry imports from src/index.ts is in dist/index.js. @type {import("esbuild").Plugin} */
const indexBeside = {
  name: "index-beside",
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/index\.ts$/ }, () => ({ path: "./index.js", external: true })),
};

/** What an earlier build left there. @param {string} folder @param {string[]} files */
function removeOthers(folder, files) {
  for (const file of readdirSync(folder)) {
    if (file.endsWith(".js") && !files.includes(file)) rmSync(join(folder, file));
  }
}

/** The same program, minified, as an import's time goes into parsing. Unlike esbuild, terser keeps the annotations that
 *  tell bundlers what is pure; what it would join and inline, a bundler after it minifies worse. Classes that users meet
 *  keep their names, which engines print.
 *  @param {string} text */
async function minified(text) {
  const { minify } = await import("terser");
  const { code } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: { inline: false, reduce_funcs: false, join_vars: false, sequences: false, hoist_props: false },
    mangle: { reserved: ["SimdgradError", "Model", "Predictor"] },
    format: { preserve_annotations: true, max_line_len: LINE_LENGTH },
  });
  return code ?? "";
}
