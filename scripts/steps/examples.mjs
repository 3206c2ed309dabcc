// @ts-check
// The programs of examples/.
import { existsSync, readdirSync } from "node:fs";
import { bundle } from "./bundle.mjs";
import { writeAtomically } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** examples/NAME/main.ts as build/examples/NAME.mjs; those that import "simdgrad" find this package in dist/.
 *  @returns {Step} */
export function examples() {
  const names = readdirSync("examples").filter((name) => existsSync(`examples/${name}/main.ts`));
  return {
    name: "build/examples",
    inputs: ["src", "examples", "bench/baselines", "scripts/usage.mjs", "package.json"],
    outputs: names.map((name) => `build/examples/${name}.mjs`),
    run: async () => {
      const { outputFiles } = await bundle({
        entryPoints: names.map((name) => ({ in: `examples/${name}/main.ts`, out: name })),
        outdir: "build/examples",
        outExtension: { ".js": ".mjs" },
        format: "esm",
        target: "node20",
        platform: "node",
        packages: "external",
      });
      for (const file of outputFiles) writeAtomically(file.path, file.contents);
    },
  };
}
