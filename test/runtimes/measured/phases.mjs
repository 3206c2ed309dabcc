// Where a cold start goes: milliseconds of the import, the building, the first step and the second.
const times = [performance.now()];
const { adam, dense, sequential } = await import("simdgrad");
times.push(performance.now());
const model = sequential({
  input: 784,
  layers: [dense(128, { activation: "relu" }), dense(10, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
});
times.push(performance.now());
for (let step = 0; step < 2; step++) {
  model.trainBatch(new Float32Array(32 * 784).fill(0.5), new Int32Array(32));
  times.push(performance.now());
}
console.log(JSON.stringify(times.slice(1).map((time, i) => time - times[i])));
