// @ts-check
// Bundles the programs of those examples that need more than scripts/build.mjs gives: tools from the cache of
// test/runtimes, or another runtime.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Two folders down, as the examples themselves are: they look for the data from there. */
const OUT = join(ROOT, "build/examples");

/** For Node unless told otherwise; gives the bundle's path.
 *  @param {string} entry from the root @param {string} name @param {import("esbuild").BuildOptions} [options] */
export async function bundle(entry, name, options = { platform: "node", packages: "external" }) {
  const output = /** @type {const} */ ({ outdir: OUT, outExtension: { ".js": ".mjs" }, format: "esm" });
  const entryPoints = { [name]: join(ROOT, entry) };
  // "simdgrad" is this package's own dist/, of whose imports esbuild says more than of an installed package's.
  const logOverride = /** @type {const} */ ({ "ignored-bare-import": "silent" });
  await build({ ...output, ...options, entryPoints, bundle: true, logLevel: "warning", logOverride });
  return join(OUT, `${name}.mjs`);
}
