// Trains in workerd and measures the process: node measure-worker.mjs FOLDER BUNDLE WASM_FOLDER
// Prints the Worker's answer and the resident bytes of workerd, idle and at its peak. Linux only.
import { readdirSync, readFileSync } from "node:fs";
import { startWorker } from "./workerd.mjs";

const [folder, bundle, wasm] = process.argv.slice(2);
const miniflare = startWorker(folder, bundle, wasm);
try {
  await miniflare.dispatchFetch("http://localhost/idle");
  const idle = residentPeak();
  const answer = await (await miniflare.dispatchFetch("http://localhost/")).json();
  console.log(JSON.stringify({ ...answer, idle, peak: residentPeak() }));
} finally {
  await miniflare.dispose();
}

/** Units: bytes, the most so far, of this process's workerd. */
function residentPeak() {
  for (const id of readdirSync("/proc")) {
    if (!/^\d+$/.test(id)) continue;
    try {
      const status = readFileSync(`/proc/${id}/status`, "utf8");
      if (!status.startsWith("Name:\tworkerd") || !status.includes(`PPid:\t${process.pid}\n`)) continue;
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error("Found no workerd that this process started.");
}
