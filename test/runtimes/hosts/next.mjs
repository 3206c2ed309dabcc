// Builds and serves a Next project on loopback: node next.mjs PROJECT NEXT PLAYWRIGHT CHROMIUM
// Prints the hashes of the page that the server renders, of the same page in Chromium, and of a Node and an edge route;
// all must be the same.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const [project, next, playwright, chromium] = process.argv.slice(2);
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
const built = spawnSync(process.execPath, [next, "build", project], { encoding: "utf8", env });
if (built.status !== 0) throw new Error(`next build failed:\n${built.stdout}${built.stderr}`);

const server = spawn(process.execPath, [next, "start", project, "-H", "127.0.0.1", "-p", "0"], {
  stdio: ["ignore", "pipe", "inherit"],
  env,
});
try {
  const address = await addressOf(server);
  const html = await (await fetch(address)).text();
  const rendered = JSON.parse(/<script id="server"[^>]*>(.*?)<\/script>/s.exec(html)[1].replaceAll("&quot;", '"'));
  const routes = {
    "node route": await (await fetch(`${address}node`)).json(),
    "edge route": await (await fetch(`${address}edge`)).json(),
  };
  const host = fileURLToPath(new URL("playwright-core.mjs", import.meta.url));
  const page = spawnSync(process.execPath, [host, playwright, address, chromium, "page"], { encoding: "utf8" });
  if (page.status !== 0) throw new Error(page.stderr);
  const all = { page: JSON.parse(page.stdout), ...routes };
  for (const [name, hashes] of Object.entries(all)) {
    if (JSON.stringify(hashes) !== JSON.stringify(rendered))
      throw new Error(`The ${name} differs from the server's page.`);
  }
  console.log(JSON.stringify(rendered));
} finally {
  server.kill();
}

/** Where the server says that it listens. */
function addressOf({ stdout }) {
  return new Promise((resolve, reject) => {
    let text = "";
    stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
      if (found && text.includes("Ready")) resolve(`${found[0]}/`);
    });
    server.once("exit", (code) => reject(new Error(`next start ended with ${code}:\n${text}`)));
    setTimeout(() => reject(new Error(`next start did not answer:\n${text}`)), 30_000).unref();
  });
}
