// @ts-check
// Budgets: the kernels, and what a bundled script that trains a network costs.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { bundle } from "./steps/bundle.mjs";

const TRAINING = `
  import { adam, dense, sequential } from "./dist/index.js";
  const model = sequential({
    input: 2,
    layers: [dense(8, { activation: "relu" }), dense(2, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam(),
  });
  await model.fit({ x: [[0, 1], [1, 0]], y: [0, 1] });
`;

const PREDICTING = `
  import { load } from "./dist/infer.js";
  const model = load(new Uint8Array(await (await fetch("model.safetensors")).arrayBuffer()));
  console.log(model.predict([[0, 1]]));
`;

/** A build, and compressed. @param {string} build @param {number} limit @param {number} compressed */
function kernels(build, limit, compressed) {
  const wasm = readFileSync(`build/${build}.wasm`);
  return [
    { name: `kernels, ${build}`, bytes: wasm.length, aim: 18_000, limit },
    { name: `kernels, ${build}, gzip`, bytes: gzipped(wasm), aim: 6_500, limit: compressed },
  ];
}

/** What is over its budget, one a line. */
export async function checkSize() {
  const rows = [
    ...kernels("strict", 23_900, 10_200),
    ...kernels("relaxed", 23_500, 10_200),
    ...kernels("infer", 10_900, 4_800),
    { name: "a script that trains, gzip", bytes: gzipped(await program(TRAINING)), aim: 24_000, limit: 46_430 },
    { name: "a script that predicts, gzip", bytes: gzipped(await program(PREDICTING)), aim: 12_000, limit: 20_900 },
  ];
  for (const { name, bytes, aim } of rows) {
    console.log(`     ${name}: ${bytes} bytes${bytes > aim ? `, over the aim of ${aim}` : ""}`);
  }
  return rows
    .filter(({ bytes, limit }) => bytes > limit)
    .map(({ name, bytes, limit }) => `${name}: expected at most ${limit} bytes, found ${bytes}`)
    .join("\n");
}

/** @param {string} contents */
async function program(contents) {
  const options = /** @type {const} */ ({ minify: true, format: "esm", target: "es2022", logLevel: "silent" });
  const { outputFiles } = await bundle({ ...options, stdin: { contents, resolveDir: "." } });
  return outputFiles[0].contents;
}

/** @param {Uint8Array} bytes */
function gzipped(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}
