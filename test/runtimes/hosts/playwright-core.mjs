// Runs a page in Chromium: node playwright-core.mjs FOLDER PAGES CHROMIUM MODE
// PAGES holds index.html and what it loads, or is the address of a page. MODE: page, or a Worker of one (worker); on
// cross-origin-isolated pages: isolated, or Workers whose lanes start from a blob (threads) or a file where the policy
// refuses blobs (lane).
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

const [folder, pages, executablePath, mode] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, "package.json"))("playwright-core");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };
const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'${mode === "threads" ? " blob:" : ""}`;
const headers = {
  "Content-Security-Policy": policy,
  ...(mode !== "page" &&
    mode !== "worker" && {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    }),
};
const server = createServer(({ url }, response) => {
  const path = url === "/" ? "/index.html" : url;
  try {
    const content = readFileSync(join(pages, path));
    response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(path)] ?? "text/plain" }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({ executablePath });
try {
  const page = await browser.newPage();
  page.on("console", (message) => console.error(message.text()));
  page.on("pageerror", (error) => console.error(error.message));
  const here = `http://127.0.0.1:${server.address().port}/`;
  const address = pages.startsWith("http:") ? pages : here;
  await page.goto(`${address}${mode === "page" || mode === "isolated" ? "" : `#${mode}`}`);
  await page.waitForFunction(() => globalThis.result, undefined, { timeout: 180_000 });
  console.log(JSON.stringify(await page.evaluate(() => globalThis.result)));
} finally {
  await browser.close();
  server.close();
}
