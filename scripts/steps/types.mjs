// @ts-check
// The declarations of the entries, and of nothing that they do not lead to.
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { entries } from "./entries.mjs";
import { files, node } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** @returns {Step} */
export function declarations() {
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
