// @ts-check
// The declarations of the entries, and of nothing that they do not lead to.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { entries } from "./entries.mjs";
import { files, node } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** @returns {Step} */
export function declarations() {
  return {
    name: "dist/types",
    inputs: ["src", "package.json", "tsconfig.json", "tsconfig.build.json"],
    outputs: entries().map((name) => `dist/types/${name}.d.ts`),
    run: async () => {
      rmSync("build/types", { recursive: true, force: true });
      node("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", "build/types");
      prune("build/types");
      rmSync("dist/types", { recursive: true, force: true });
      renameSync("build/types", "dist/types");
      rmSync("dist/cjs/types", { recursive: true, force: true });
      for (const path of required()) {
        const file = join("dist/cjs/types", path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, await forRequire(path));
      }
    },
  };
}

/** The declarations of the CommonJS files: "index.d.ts" and so on. */
function required() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = JSON.stringify(exports).matchAll(/\/cjs\/types\/([^"]+)"/g);
  return [...new Set([...named].map(([, path]) => path))];
}

/** Those of the module, as CommonJS may have them: types go through; values are declared anew, by the types that they
 *  have there. A class is both. @param {string} path */
async function forRequire(path) {
  const name = path.replace(/\.d\.ts$/, "");
  const up = "../".repeat(path.split("/").length + 1);
  const from = `"${up}types/${name}.js" with { "resolution-mode": "import" }`;
  const module = `dist/${name}.js`;
  const values = existsSync(module) ? Object.entries(await import(pathToFileURL(resolve(module)).href)) : [];
  const lines = values.flatMap(([key, value]) => [
    `export declare const ${key}: typeof all.${key};`,
    ...(isClass(value) ? [`export type ${key} = all.${key};`] : []),
  ]);
  const all = lines.length > 0 ? [`import type * as all from ${from};`] : [];
  return `${[...all, `export type * from ${from};`, ...lines].join("\n")}\n`;
}

/** @param {unknown} value */
function isClass(value) {
  return typeof value === "function" && Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false;
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
