// Node and Bun, with require; lanes start from the package's file.
const { Worker } = require("node:worker_threads");

import("../globals.mjs").then(async ({ assertGlobalsUntouched }) => {
  const simdgrad = require("simdgrad");
  const infer = require("simdgrad/infer");
  const kernels = require("simdgrad/kernels");
  const files = require("simdgrad/node");
  assertGlobalsUntouched();
  const { exercise, exerciseFiles } = await import("../spec.mjs");
  await exerciseFiles(simdgrad, files, "cjs.safetensors");
  const worker = () => new Worker(require.resolve("simdgrad/lane"));
  console.log(JSON.stringify(await exercise({ simdgrad, infer, kernels }, { threads: 2, worker })));
});
