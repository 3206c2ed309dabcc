// @ts-check
// Bundles for Node, their packages left outside.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** @param {import("esbuild").BuildOptions["entryPoints"]} entryPoints @param {string} outdir
 *  @param {import("esbuild").BuildOptions} [more] */
export async function bundle(entryPoints, outdir, more) {
  await build({
    entryPoints,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "warning",
    ...more,
  });
}

/** What such a bundle exports. @param {string} path */
export function importBundle(path) {
  return import(pathToFileURL(resolve(path)).href);
}
