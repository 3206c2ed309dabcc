// Runs a bundled Worker in workerd: node miniflare.mjs FOLDER BUNDLE WASM_FOLDER
import { startWorker } from "./workerd.mjs";

const [folder, bundle, wasm] = process.argv.slice(2);
const miniflare = startWorker(folder, bundle, wasm);
try {
  const response = await miniflare.dispatchFetch("http://localhost/");
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  console.log(text);
} finally {
  await miniflare.dispose();
}
