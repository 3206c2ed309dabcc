// A page, or a Web Worker of one: all but the first mode hand the work to a Worker.
import { assertGlobalsUntouched } from "../globals.mjs";

// After what notes the globals.

import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { evaluatesStrings, exercise, refusesBlobWorkers } from "../spec.mjs";

/** By the page's hash: the lanes' options. `#lane` starts them from a file, where the policy refuses blobs. */
const MODES = {
  "": {},
  "#worker": {},
  "#threads": { threads: 2 },
  "#lane": { threads: 2, worker: () => new Worker("/lane.js") },
};

async function run(mode) {
  assertGlobalsUntouched();
  if (evaluatesStrings()) throw new Error("Expected a content security policy without 'unsafe-eval'.");
  const lanes = MODES[mode];
  if (lanes.threads > 1 && !crossOriginIsolated) throw new Error("Expected a cross-origin-isolated page.");
  if (lanes.worker) await refusesBlobWorkers(simdgrad);
  return exercise({ simdgrad, infer, kernels }, lanes);
}

function runInWorker(mode) {
  const worker = new Worker(import.meta.url, { type: "module", name: mode });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ("hashes" in data ? resolve(data.hashes) : reject(new Error(data.error)));
    worker.onerror = ({ message }) => reject(new Error(message ?? "The Worker did not start."));
  });
}

if (typeof document !== "undefined") {
  globalThis.result = location.hash ? runInWorker(location.hash) : run("");
} else {
  run(globalThis.name).then(
    (hashes) => postMessage({ hashes }),
    (error) => postMessage({ error: error.stack }),
  );
}
