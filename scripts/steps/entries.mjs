// @ts-check
// The entries of package.json's exports as JavaScript: modules that share their chunks, and CommonJS.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
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
  return {
    name: "dist",
    inputs: ["src", "package.json", "scripts/join.mjs"],
    outputs: [...names.map((name) => `dist/${name}.js`), "dist/shared.js", "dist/training.js"],
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
      const split = await bundle({ ...options, entryPoints, splitting: true });
      const files = await joinChunks(split, options, (name) => /^(infer|kernels)\b/.test(name));
      for (const [name, text] of files) writeAtomically(`dist/${name}`, await minified(text));
      for (const file of readdirSync("dist")) {
        if (file.endsWith(".js") && file !== "cli.js" && !files.has(file)) rmSync(join("dist", file));
      }
    },
  };
}

/** The same program, minified, as an import's time goes into parsing. Unlike esbuild, terser keeps the annotations that
 *  tell bundlers what is pure; what it would join and inline, a bundler after it minifies worse.
 *  @param {string} text */
async function minified(text) {
  const { minify } = await import("terser");
  const { code } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: { inline: false, reduce_funcs: false, join_vars: false, sequences: false, hoist_props: false },
    format: { preserve_annotations: true },
  });
  return `${code}\n`;
}

/** For require: one bundle, so that all entries share their classes, and a file for each entry that takes its part.
 *  @returns {Step} */
export function commonJs() {
  const names = ["index", "infer", "kernels", "node", "data"];
  return {
    name: "dist/cjs",
    inputs: ["src", "package.json"],
    outputs: [...names, "all"].map((name) => `dist/cjs/${name}.js`),
    run: async () => {
      const { outputFiles } = await bundle({
        stdin: {
          contents: names.map((name) => `export * as ${name} from "./src/${name}.ts";`).join("\n"),
          resolveDir: ".",
          loader: "ts",
        },
        format: "cjs",
        target: "es2022",
        platform: "node",
        minifySyntax: true,
        // Functions keep their names for those who read a stack; the readable form is in the modules.
        minifyWhitespace: true,
        minifyIdentifiers: true,
        keepNames: true,
      });
      writeAtomically("dist/cjs/package.json", '{ "type": "commonjs" }\n');
      writeAtomically("dist/cjs/all.js", outputFiles[0].contents);
      for (const name of names) {
        writeAtomically(`dist/cjs/${name}.js`, `"use strict";\nmodule.exports = require("./all.js").${name};\n`);
      }
    },
  };
}
