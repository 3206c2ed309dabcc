// A page, or a Web Worker of one: `#worker` and `#threads` hand the work to a Worker.
import * as simdgrad from "simdgrad";
import * as kernels from "simdgrad/kernels";
import { evaluatesStrings, exercise } from "../spec.mjs";

async function run(threads) {
  if (evaluatesStrings()) throw new Error("Expected a content security policy without 'unsafe-eval'.");
  if (threads > 1 && !crossOriginIsolated) throw new Error("Expected a cross-origin-isolated page.");
  return exercise(simdgrad, kernels, { threads });
}

function runInWorker() {
  const worker = new Worker(import.meta.url, { type: "module", name: location.hash });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ("hashes" in data ? resolve(data.hashes) : reject(new Error(data.error)));
    worker.onerror = ({ message }) => reject(new Error(message ?? "The Worker did not start."));
  });
}

if (typeof document !== "undefined") {
  globalThis.result = location.hash ? runInWorker() : run(1);
} else {
  run(globalThis.name === "#threads" ? 2 : 1).then(
    (hashes) => postMessage({ hashes }),
    (error) => postMessage({ error: error.stack }),
  );
}
