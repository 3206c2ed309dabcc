// `npm run example:fashion-mnist`: 784-256-128-10 on 60,000 images of clothes, some seeds, PyTorch beside it where
// /usr/bin/python3 has it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readCounts } from "../options.mjs";
import { CLASSES, isInstalled, readImages } from "./images.ts";
import { BATCH_SIZE, EPOCHS, type Trained, trainOnce } from "./train.ts";

const HELP = `Trains 784-256-128-10 on the 60,000 images of Fashion-MNIST, as Debian's dataset-fashion-mnist installs them, and
PyTorch beside it where /usr/bin/python3 has it.

  npm run example:fashion-mnist -- --seeds 1

Options
  --seeds N     how many trainings, with seeds from 1 up, default 3
  --threads N   of each, default 1
  --help        this page`;

const { seeds, threads } = await readCounts(HELP, { seeds: 3, threads: 1 });
if (!isInstalled()) {
  console.error("Expected Debian's dataset-fashion-mnist, found none: apt-get install dataset-fashion-mnist");
  process.exit(1);
}
const train = readImages("train");
const test = readImages("t10k");
console.log(`${train.y.length.toLocaleString("en-US")} images of ${CLASSES.length} kinds: ${CLASSES.join(", ")}.`);
console.log(`784-256-128-10, Adam, ${EPOCHS} epochs in batches of ${BATCH_SIZE}, threads: ${threads}\n`);

const ours: Trained[] = [];
const theirs: Trained[] = [];
for (let seed = 1; seed <= seeds; seed++) {
  const trained = await trainOnce(seed, threads, train, test, (epoch, loss) => {
    process.stdout.write(`\rseed ${seed}  epoch ${epoch} of ${EPOCHS}  loss ${loss.toFixed(4)}`);
  });
  ours.push(trained);
  console.log(`\rseed ${seed}  ${tell("simdgrad", trained)}          `);
  const other = await pytorch(seed);
  if (!other) continue;
  theirs.push(other);
  console.log(`seed ${seed}  ${tell("PyTorch ", other)}`);
}
console.log(`\nmean of ${seeds}: ${tell("simdgrad", mean(ours))}`);
if (theirs.length > 0) console.log(`mean of ${seeds}: ${tell("PyTorch ", mean(theirs))}`);

function tell(who: string, { accuracy, seconds }: Trained): string {
  return `${who}  accuracy ${accuracy.toFixed(4)}  ${seconds.toFixed(1)} s`;
}

function mean(all: readonly Trained[]): Trained {
  const of = (key: keyof Trained) => all.reduce((sum, one) => sum + one[key], 0) / all.length;
  return { accuracy: of("accuracy"), seconds: of("seconds") };
}

/** Nothing where there is no PyTorch. */
async function pytorch(seed: number): Promise<Trained | undefined> {
  const script = "examples/fashion-mnist/pytorch.py";
  try {
    const { stdout } = await promisify(execFile)("/usr/bin/python3", [script, String(seed), String(threads)]);
    return JSON.parse(stdout) as Trained;
  } catch {
    return undefined;
  }
}
