// A page whose main thread fits 784-128-10: its tasks of 50 ms and more, as the browser sees them. Beside it, for machines
// that are busy with other things, those of plain work cut into 10 ms.
import { adam, dense, sequential } from "simdgrad";

const ROWS = 60_000;
const model = sequential({
  input: 784,
  layers: [dense(128, { activation: "relu" }), dense(10, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
});
const x = Float32Array.from({ length: ROWS * 784 }, (_, i) => ((i * 7919) % 1009) / 1009);
const y = Int32Array.from({ length: ROWS }, (_, i) => i % 10);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds that it took, and those of its long tasks. */
async function observe(work) {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  await pause(200);
  observer.observe({ type: "longtask" });
  const started = performance.now();
  await work();
  const milliseconds = performance.now() - started;
  await pause(200);
  observer.disconnect();
  return { milliseconds, tasks: tasks.map(({ duration }) => duration) };
}

function spin(iterations) {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += Math.sqrt(i);
  return sum;
}

/** One of the event loop, without sleep, as fit takes it. */
function turn() {
  const { port1, port2 } = new MessageChannel();
  port2.postMessage(null);
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(port1.close());
  });
}

/** Iterations of spin that take 10 ms where nothing disturbs them. */
function calibrate() {
  const times = Array.from({ length: 30 }, () => {
    const started = performance.now();
    spin(1e6);
    return performance.now() - started;
  });
  return (10 / Math.min(...times)) * 1e6;
}

async function measure() {
  await pause(500);
  const training = await observe(() => model.fit({ x, y }));
  const iterations = calibrate();
  const plain = await observe(async () => {
    for (const end = performance.now() + training.milliseconds; performance.now() < end; ) {
      spin(iterations);
      await turn();
    }
  });
  return { training, plain };
}

globalThis.result = measure();
