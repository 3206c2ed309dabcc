// Runs a bundled page in Chromium: node playwright-core.mjs FOLDER BUNDLE CHROMIUM LANE MODE
// LANE is the file of simdgrad/lane. MODE: page, worker, threads or lane (Workers of a cross-origin-isolated page; lanes
// start from a blob, or from LANE where the policy refuses blobs).
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, bundle, executablePath, lane, mode] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, "package.json"))("playwright-core");

const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'${mode === "threads" ? " blob:" : ""}`;
const headers = {
  "Content-Security-Policy": policy,
  ...((mode === "threads" || mode === "lane") && {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  }),
};
const files = {
  "/": ["text/html", '<!doctype html><script type="module" src="/page.mjs"></script>'],
  "/page.mjs": ["text/javascript", readFileSync(bundle)],
  "/lane.js": ["text/javascript", readFileSync(lane)],
};
const server = createServer(({ url }, response) => {
  const [type, content] = files[url] ?? [];
  response.writeHead(type ? 200 : 404, { ...headers, "Content-Type": type ?? "text/plain" }).end(content);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({ executablePath });
try {
  const page = await browser.newPage();
  page.on("console", (message) => console.error(message.text()));
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/${mode === "page" ? "" : `#${mode}`}`);
  const hashes = await page.evaluate(() => globalThis.result);
  if (!hashes) throw new Error("The page's script did not run.");
  console.log(JSON.stringify(hashes));
} finally {
  await browser.close();
  server.close();
}
