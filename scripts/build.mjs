// @ts-check
// Builds what changed. A step runs again when the content of its inputs, or of this file, is not what it was when its
// outputs were written; the stamps are in build/stamps/. Outputs appear by renaming, so no reader sees half a file.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encodeDelta } from "./delta.mjs";
import { exportsOf, partOf } from "./part.mjs";
import { encodeText } from "./text.mjs";

/** @typedef {{ name: string, inputs: string[], outputs: string[], run: () => void | Promise<void> }} Step */

/** @param {{ debug?: boolean }} options */
export async function build({ debug = false } = {}) {
  process.chdir(fileURLToPath(new URL("..", import.meta.url)));
  for (const step of [...kernels(), lane(), parser(), assets(), ...(debug ? [wasm("debug", "debug")] : [])]) {
    await perform(step);
  }
  for (const step of [bundles(), modules(), commonJs(), declarations(), command(), examples()]) {
    await perform(step);
  }
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
      node("node_modules/assemblyscript/bin/asc.js", "--target", target, "--outFile", temporary);
      if (target !== "debug") {
        const { reorder } = await import("./order.mjs");
        writeFileSync(temporary, reorder(readFileSync(temporary)));
      }
      renameSync(temporary, output);
    },
  };
}

/** Both builds of the kernels, and their bytes as modules: every tool and bundler sees them inlined, none has to fetch.
 *  The relaxed build as what differs from the strict.
 *  @returns {Step[]} */
function kernels() {
  const strict = "build/strict.wasm";
  const relaxed = "build/relaxed.wasm";
  const infer = "build/infer.wasm";
  return [
    wasm("release", "strict"),
    wasm("relaxed", "relaxed"),
    part(strict, "assembly/infer.ts", infer),
    inlined("strict", "strictWasm", [strict], () => readFileSync(strict)),
    inlined("relaxed", "relaxedDelta", [strict, relaxed, "scripts/delta.mjs"], () =>
      encodeDelta(readFileSync(strict), readFileSync(relaxed)),
    ),
    inlined("infer", "inferWasm", [infer], () => readFileSync(infer)),
  ];
}

/** The kernels that `list` exports, cut out of a build. @param {string} from @param {string} list @param {string} to @returns {Step} */
function part(from, list, to) {
  return {
    name: to,
    inputs: [from, list, "scripts/part.mjs"],
    outputs: [to],
    run: () => writeAtomically(to, partOf(readFileSync(from), exportsOf(list))),
  };
}

/** @param {string} name @param {string} constant @param {string[]} inputs @param {() => Uint8Array} bytes @returns {Step} */
function inlined(name, constant, inputs, bytes) {
  const output = `src/generated/${name}.ts`;
  return {
    name: output,
    inputs: [...inputs, "scripts/text.mjs"],
    outputs: [output],
    run: () => {
      const text = encodeText(bytes());
      writeAtomically(output, `// Made by scripts/build.mjs.\nexport const ${constant}: string =\n  "${text}";\n`);
    },
  };
}

/** What worker lanes run, as text: a worker can be started from it without a file beside the bundle. The same as a
 *  file, for who must not start workers from text; it imports nothing, so that it serves as a module and as a script.
 *  @returns {Step} */
function lane() {
  const output = "src/generated/lane.ts";
  const file = "dist/cjs/lane.js";
  return {
    name: output,
    inputs: ["src/runtime/lane.ts", "src/runtime/barrier.ts"],
    outputs: [output, file],
    run: async () => {
      const { build: esbuild } = await import("esbuild");
      const { outputFiles } = await esbuild({
        entryPoints: ["src/runtime/lane.ts"],
        bundle: true,
        minify: true,
        format: "iife",
        target: "es2022",
        write: false,
        logLevel: "warning",
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
function parser() {
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
function assets() {
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

/** The command, with its libraries in it and the package's entries beside it. @returns {Step} */
function command() {
  const output = "dist/cli.js";
  const licenses = "dist/LICENSES.txt";
  return {
    name: output,
    inputs: ["src", "package.json"],
    outputs: [output, licenses],
    run: async () => {
      const { build: esbuild } = await import("esbuild");
      const { outputFiles, metafile } = await esbuild({
        entryPoints: ["src/cli/main.ts"],
        metafile: true,
        bundle: true,
        minify: true,
        format: "esm",
        target: "node20",
        platform: "node",
        // Libraries in CommonJS ask for Node's modules by require.
        banner: {
          js: '#!/usr/bin/env node\nimport{createRequire as r}from"node:module";const require=r(import.meta.url);',
        },
        plugins: [{ name: "entries", setup: (build) => entriesBeside(build) }],
        legalComments: "none",
        write: false,
        logLevel: "warning",
      });
      writeAtomically(output, outputFiles[0].contents);
      chmodSync(output, 0o755);
      const bundled = Object.keys(metafile.inputs).flatMap(
        (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
      );
      writeAtomically(licenses, licensesOf([...new Set([...bundled, "papaparse", "uplot"])].sort()));
    },
  };
}

/** What the licences of packages that are bundled want to be passed on. All are MIT's, whose text is that of our own.
 *  @param {string[]} names */
function licensesOf(names) {
  const notices = names.map((name) => {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    if (license !== "MIT")
      throw new Error(`${name} is bundled and has the licence ${license}, which nobody has looked at.`);
    const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    const copyright = file && /^ *Copyright .*$/m.exec(readFileSync(`${folder}/${file}`, "utf8"))?.[0].trim();
    if (!copyright) throw new Error(`${name} is bundled and names nobody who holds its copyright.`);
    return `${name} ${version}\n${copyright}\n`;
  });
  const own = readFileSync("LICENSE", "utf8");
  const text = own.slice(own.indexOf("Permission is hereby granted"));
  return `This package carries parts of others, under the MIT License:\n\n${notices.join("\n")}\n${text}`;
}

/** src/NAME.ts, imported from src/cli/, is dist/NAME.js. @param {import("esbuild").PluginBuild} build */
function entriesBeside(build) {
  build.onResolve({ filter: /^\.\.\/[^/]+\.ts$/ }, ({ path }) => {
    return { path: `./${basename(path, ".ts")}.js`, external: true };
  });
}

/** Each entry of package.json's exports: dist/NAME.js is bundled from src/NAME.ts, what entries share into chunks. */
function entries() {
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
function bundles() {
  const names = entries();
  return {
    name: "dist",
    inputs: ["src", "package.json", "scripts/join.mjs"],
    outputs: [...names.map((name) => `dist/${name}.js`), "dist/shared.js", "dist/training.js"],
    run: async () => {
      const { build: esbuild } = await import("esbuild");
      const { joinChunks } = await import("./join.mjs");
      /** @type {import("esbuild").BuildOptions} */
      const options = {
        outdir: "dist",
        bundle: true,
        format: "esm",
        target: "es2022",
        platform: "neutral",
        external: ["node:*", "*.wasm", "*.wasm?module"],
        minifySyntax: true,
        logLevel: "warning",
      };
      const entryPoints = names.map((name) => `src/${name}.ts`);
      const split = await esbuild({ ...options, entryPoints, splitting: true, metafile: true, write: false });
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

/** The kernels as files, for runtimes that import them, and what such an import gives. @returns {Step} */
function modules() {
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

/** For require: one bundle, so that all entries share their classes, and a file for each entry that takes its part.
 *  @returns {Step} */
function commonJs() {
  const names = ["index", "infer", "kernels", "node", "data"];
  return {
    name: "dist/cjs",
    inputs: ["src", "package.json"],
    outputs: [...names, "all"].map((name) => `dist/cjs/${name}.js`),
    run: async () => {
      const { build: esbuild } = await import("esbuild");
      const { outputFiles } = await esbuild({
        stdin: {
          contents: names.map((name) => `export * as ${name} from "./src/${name}.ts";`).join("\n"),
          resolveDir: ".",
          loader: "ts",
        },
        bundle: true,
        format: "cjs",
        target: "es2022",
        platform: "node",
        minifySyntax: true,
        // Functions keep their names for those who read a stack; the readable form is in the modules.
        minifyWhitespace: true,
        minifyIdentifiers: true,
        keepNames: true,
        write: false,
        logLevel: "warning",
      });
      writeAtomically("dist/cjs/package.json", '{ "type": "commonjs" }\n');
      writeAtomically("dist/cjs/all.js", outputFiles[0].contents);
      for (const name of names) {
        writeAtomically(`dist/cjs/${name}.js`, `"use strict";\nmodule.exports = require("./all.js").${name};\n`);
      }
    },
  };
}

/** @returns {Step} */
function declarations() {
  return {
    name: "dist/types",
    inputs: ["src", "package.json", "tsconfig.json", "tsconfig.build.json"],
    outputs: entries().map((name) => `dist/types/${name}.d.ts`),
    run: () => {
      rmSync("build/types", { recursive: true, force: true });
      node("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", "build/types");
      prune("build/types");
      // The same declarations under dist/cjs/package.json describe the CommonJS files.
      rmSync("dist/cjs/types", { recursive: true, force: true });
      cpSync("build/types", "dist/cjs/types", { recursive: true });
      rmSync("dist/types", { recursive: true, force: true });
      renameSync("build/types", "dist/types");
    },
  };
}

/** Removes the declarations that those of package.json's exports do not lead to. @param {string} folder */
function prune(folder) {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = JSON.stringify(exports).matchAll(/\/types\/([^"]+)"/g);
  const reached = new Set([...named].map(([, path]) => join(folder, path)));
  for (const file of reached) {
    for (const [, path] of readFileSync(file, "utf8").matchAll(/"(\.[^"]*)\.[jt]s"/g)) {
      const target = join(dirname(file), `${path}.d.ts`);
      if (existsSync(target)) reached.add(target);
    }
  }
  for (const file of files(folder)) if (!reached.has(file)) rmSync(file);
}

/** examples/NAME/main.ts as build/examples/NAME.mjs; those that import "simdgrad" find this package in dist/.
 *  @returns {Step} */
function examples() {
  const names = readdirSync("examples").filter((name) => existsSync(`examples/${name}/main.ts`));
  return {
    name: "build/examples",
    inputs: ["src", "examples", "bench/baselines", "package.json"],
    outputs: names.map((name) => `build/examples/${name}.mjs`),
    run: async () => {
      const { build: esbuild } = await import("esbuild");
      const { outputFiles } = await esbuild({
        entryPoints: names.map((name) => ({ in: `examples/${name}/main.ts`, out: name })),
        outdir: "build/examples",
        outExtension: { ".js": ".mjs" },
        bundle: true,
        format: "esm",
        target: "node20",
        platform: "node",
        packages: "external",
        write: false,
        logLevel: "warning",
      });
      for (const file of outputFiles) writeAtomically(file.path, file.contents);
    },
  };
}

/** @param {Step} step */
async function perform({ name, inputs, outputs, run }) {
  const stamp = join("build", "stamps", name.replaceAll(/[^\w]+/g, "-"));
  const hash = hashOf([...inputs, "package-lock.json", "scripts/build.mjs"]);
  if (outputs.every((path) => existsSync(path)) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  const start = Date.now();
  await run();
  writeAtomically(stamp, hash);
  console.log(`built ${name} in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** @param {string[]} paths */
function hashOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(files)) {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** @param {string} path @returns {string[]} */
function files(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(`${path}/${name}`));
}

/** @param {string} path @param {string | Uint8Array} content */
function writeAtomically(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

/** @param {string[]} args */
function node(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${args[0]} failed.`);
}
