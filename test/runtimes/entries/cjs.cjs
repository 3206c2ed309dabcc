// Node and Bun, with require.
const simdgrad = require("simdgrad");
const kernels = require("simdgrad/kernels");
const files = require("simdgrad/node");

import("../spec.mjs").then(async ({ exercise, exerciseFiles }) => {
  await exerciseFiles(simdgrad, files, "cjs.safetensors");
  console.log(JSON.stringify(await exercise(simdgrad, kernels, { threads: 2 })));
});
