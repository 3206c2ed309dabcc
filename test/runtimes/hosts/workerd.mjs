// @ts-check
// Starts a bundled Worker in workerd.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** @param {string} folder that has miniflare @param {string} bundle @param {string} wasm folder of the kernels
 *  @param {object} [options] more for miniflare @returns {any} a Miniflare */
export function startWorker(folder, bundle, wasm, options) {
  const { Miniflare } = createRequire(join(folder, "package.json"))("miniflare");
  const names = readdirSync(wasm).filter((name) => name.endsWith(".wasm"));
  return new Miniflare({
    compatibilityDate: "2026-07-01",
    modules: [
      { type: "ESModule", path: "worker.mjs", contents: readFileSync(bundle, "utf8") },
      ...names.map((name) => ({ type: "CompiledWasm", path: name, contents: readFileSync(join(wasm, name)) })),
    ],
    ...options,
  });
}
