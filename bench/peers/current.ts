// Stands in for ../workloads.ts in the bundle of ../contestant.ts: the one workload and contestant that the process
// was started for, made and checked before the module is complete, since peers start asynchronously. `control` and
// `bandwidth` are the machine's limits themselves.
import { readDigits, type Samples } from "../../examples/digits/digits.ts";
import { createNaive } from "../baselines/naive.ts";
import { createRandom } from "../baselines/network.ts";
import type { Trial, Workload } from "../workload.ts";
import { gemms } from "../workloads/gemm.ts";
import { createBaseline, createBatches, type Task, tasks } from "../workloads/networks.ts";
import { bandwidth } from "./bandwidth.ts";
import { type Contestant, contestants } from "./contestants.ts";
import { row, type Subject } from "./subject.ts";
import { EPOCHS, type PeerWorkload, workloads as peerWorkloads } from "./workloads.ts";

const [workloadName, contestantName] = process.argv.slice(2);
const workload = peerWorkloads.find(({ name }) => name === workloadName);
const contestant = contestants.find(({ name }) => name === contestantName);

export const workloads: readonly Workload[] =
  workload && contestant ? [await prepare(workload, contestant)] : [...gemms, bandwidth];

async function prepare({ name, title, unit, kind, task }: PeerWorkload, contestant: Contestant): Promise<Workload> {
  if (contestant.agrees !== "three losses" && kind !== "digits") await requireLearning(contestant);
  const makers = { step: stepTrial, predict: predictTrial, digits: digitsTrial };
  const trial = await makers[kind](task, contestant);
  return { name, title, unit, contestants: { [contestant.name]: () => ({ ...trial, lanes: contestant.threads }) } };
}

async function createSubject({ create, name }: Contestant, task: Task): Promise<Subject> {
  if (!create) throw new Error(`Expected a contestant in JavaScript, received ${name}.`);
  return create(task, createBaseline(createNaive, task).parameters);
}

/** The contestants read the loss at every step, as one does who watches it. */
async function stepTrial(task: Task, contestant: Contestant): Promise<Trial> {
  const { step } = await createSubject(contestant, task);
  if (!step) throw new Error("It does not train.");
  const { x, labels } = createBatches(task);
  let t = 0;
  const run = () => {
    const i = t++;
    return step(x[i % x.length], labels[i % labels.length]);
  };
  const compared = { "three losses": 3, "one loss": 1, none: 0 }[contestant.agrees];
  const losses: number[] = [];
  while (losses.length < compared) losses.push(await run());
  return { check: () => losses, run, units: 1 };
}

async function predictTrial(task: Task, contestant: Contestant): Promise<Trial> {
  const { predict } = await createSubject(contestant, task);
  if (!predict) throw new Error("It does not predict.");
  const { x } = createBatches(task);
  const outputs = Array.from(await predict(x[0]));
  if (outputs.length !== task.batch * task.sizes[task.sizes.length - 1]) throw new Error("Expected rows x classes.");
  let t = 0;
  return {
    check: () => (contestant.agrees === "none" ? [] : outputs),
    run: () => predict(x[t++ % x.length]),
    units: task.batch,
  };
}

/** A whole training a run. The check gives the test accuracy, and the seconds of the first one in the process. */
async function digitsTrial(task: Task, contestant: Contestant): Promise<Trial> {
  const { train, test } = readDigits("data/digits.csv.gz");
  const run = async () => {
    const subject = await createSubject(contestant, task);
    if (subject.fit) await subject.fit(train, EPOCHS);
    else await trainByStep(subject, train, task);
    return subject;
  };
  const start = performance.now();
  const { predict } = await run();
  const seconds = (performance.now() - start) / 1000;
  if (!predict) throw new Error("It does not predict.");
  const accuracy = await measureAccuracy(predict, test, task);
  return { check: () => [accuracy, seconds], run, units: EPOCHS * train.rows };
}

/** A loop as a user of the library would write it: shuffled epochs, the last batch short. */
async function trainByStep({ step }: Subject, { x, y, rows }: Samples, { sizes: [columns], batch }: Task) {
  if (!step) throw new Error("It does not train.");
  const random = createRandom(5);
  const order = Array.from({ length: rows }, (_, i) => i);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let i = rows - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (let first = 0; first < rows; first += batch) {
      const chosen = order.slice(first, first + batch);
      const block = new Float32Array(chosen.length * columns);
      for (const [i, source] of chosen.entries()) block.set(row(x, columns, source), i * columns);
      await step(
        block,
        Int32Array.from(chosen, (source) => y[source]),
      );
    }
  }
}

async function measureAccuracy(predict: NonNullable<Subject["predict"]>, { x, y, rows }: Samples, { sizes }: Task) {
  const outputs = Array.from(await predict(x));
  const classes = sizes[sizes.length - 1];
  const right = Array.from(y).filter((label, i) => {
    const scores = outputs.slice(i * classes, (i + 1) * classes);
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / rows;
}

/** For those whose losses are not ours: one batch of the smallest network is learned to half its first error. */
async function requireLearning(contestant: Contestant): Promise<void> {
  const { step } = await createSubject(contestant, tasks[0]);
  if (!step) throw new Error("It does not train.");
  const { x, labels } = createBatches(tasks[0]);
  const first = await step(x[0], labels[0]);
  let last = first;
  for (let i = 0; i < 2000; i++) last = await step(x[0], labels[0]);
  if (!(last < first / 2)) throw new Error(`Expected the error to fall below half of ${first}, received ${last}.`);
}
