// @ts-check
// The command: one file with its libraries in it, and their licences.
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { bundle, LINE_LENGTH } from "./bundle.mjs";
import { writeAtomically } from "./step.mjs";

/** @typedef {import("./step.mjs").Step} Step */

/** The command, with its libraries in it and the package's entries beside it. @returns {Step} */
export function command() {
  const output = "dist/cli.js";
  const licenses = "dist/LICENSES.txt";
  return {
    name: output,
    inputs: ["src", "package.json"],
    outputs: [output, licenses],
    run: async () => {
      const { outputFiles, metafile } = await bundle({
        entryPoints: ["src/cli/main.ts"],
        minify: true,
        lineLimit: LINE_LENGTH,
        format: "esm",
        target: "node20",
        platform: "node",
        // Libraries in CommonJS ask for Node's modules by require.
        banner: {
          js: '#!/usr/bin/env node\nimport{createRequire as r}from"node:module";const require=r(import.meta.url);',
        },
        plugins: [{ name: "entries", setup: (build) => entriesBeside(build) }],
        legalComments: "none",
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

/** src/NAME.ts, imported from src/cli/, is dist/NAME.js, but for errors.ts, which is no entry.
 *  @param {import("esbuild").PluginBuild} build */
function entriesBeside(build) {
  build.onResolve({ filter: /^\.\.\/[^/]+\.ts$/ }, ({ path }) => {
    if (path === "../errors.ts") return undefined;
    return { path: `./${basename(path, ".ts")}.js`, external: true };
  });
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
