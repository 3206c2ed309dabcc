// Runs a bundled Worker in workerd: node miniflare.mjs FOLDER BUNDLE WASM_FOLDER
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, bundle, wasm] = process.argv.slice(2);
const { Miniflare } = createRequire(join(folder, "package.json"))("miniflare");

const miniflare = new Miniflare({
  compatibilityDate: "2026-07-01",
  modules: [
    { type: "ESModule", path: "worker.mjs", contents: readFileSync(bundle, "utf8") },
    ...["kernels.wasm", "kernels-relaxed.wasm"].map((name) => {
      return { type: "CompiledWasm", path: name, contents: readFileSync(join(wasm, name)) };
    }),
  ],
});
try {
  const response = await miniflare.dispatchFetch("http://localhost/");
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  console.log(text);
} finally {
  await miniflare.dispose();
}
