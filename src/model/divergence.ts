// Why a training step failed: which layer, which step, and what probably led there.
import type { BufferRef } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { LEAST_EPSILON } from "../optimizers/common.ts";
import type { OptimizerSpec } from "../optimizers/index.ts";
import type { LossProgram } from "../plan/compile.ts";
import type { Engine } from "./engine.ts";

/** The settings that some optimizers have. */
type AnyOptimizer = OptimizerSpec & { readonly epsilon?: number; readonly momentum?: number };

/** Weights beyond this are past saving. */
const WRECKED = 1e6;
/** Inputs and targets beyond this are suspected before the learning rate is. */
const UNSCALED = 1e3;
/** So are those beyond this that are as many times the usual column's. */
const OUTSTANDING = 30;

/** The NUMERIC error of a step that was not made: runs it again, call by call, up to the first bad number. */
export function explainDivergence(engine: Engine, program: LossProgram, rows: number, loss: number): SimdgradError {
  const calls = engine.bind(program.steps, rows);
  const cause = causeOf(engine, program, rows);
  for (const [i, step] of program.steps.entries()) {
    calls[i]();
    const own = step.kernel === "host";
    // A layer of one's own writes gradients beside what it passes on.
    if ((own ? (step.args as BufferRef[]) : [step.writes]).every((buffer) => isFiniteBuffer(engine, buffer, rows)))
      continue;
    const [what, pass] = i < program.forwardSteps ? ["output", "forward"] : ["gradient", "backward"];
    return diverged(
      engine,
      `the ${what} of ${place(step.owner)} is not finite (${step.kernel})`,
      cause ?? (own ? `The layer's own ${pass} wrote it, from numbers that are finite.` : cause),
    );
  }
  return diverged(engine, `the loss is ${loss}; ${largestIn(engine, "parameters")}`, cause);
}

/** The NUMERIC error of a step on gradients that are not finite. */
export function explainGradient(engine: Engine): SimdgradError {
  const { gradients } = engine.plan.blocks;
  const index = engine.kernels.first_non_finite(gradients.columns, engine.address(gradients));
  const { name } = parameterAt(engine, index);
  return diverged(
    engine,
    `the gradient of layer ${name.slice(0, name.lastIndexOf("."))} (${name}) is not finite`,
    badWeight(engine) ?? grown(engine),
  );
}

/** The NUMERIC error of an update that does not fit into f32. */
export function explainUpdate(
  engine: Engine,
  refused: number,
  program: LossProgram | undefined,
  rows: number,
): SimdgradError {
  const epsilon = tinyEpsilon(engine);
  const what =
    epsilon === undefined
      ? `would overflow; ${largestIn(engine, "gradients")}`
      : `divides by little more than epsilon, ${epsilon}`;
  const known = badWeight(engine) ?? unstable(engine);
  const cause = known ?? (program ? causeOf(engine, program, rows) : grown(engine));
  return diverged(engine, `the update of ${refused} parameters ${what}`, cause);
}

/** What of the optimizer's settings leads out of f32, whatever the gradients are: weights and velocities that grow with
 *  each step, 0 divided by 0. */
function unstable(engine: Engine): string | undefined {
  const { plan, update } = engine;
  const { momentum = 0, weightDecay } = plan.spec.optimizer as AnyOptimizer;
  const epsilon = tinyEpsilon(engine);
  if (epsilon !== undefined) {
    return `An epsilon of ${epsilon} divides 0 by 0 or nearly so where a gradient is 0: set one, e.g. 1e-8.`;
  }
  if (momentum >= 1) return "A momentum of 1 and more grows without end: set one below, e.g. 0.9.";
  if (update.learningRate * weightDecay < 1) return undefined;
  return "Learning rate times weightDecay is 1 or more, so that weights may grow with each step: lower one of them.";
}

/** An epsilon that does not keep a division from becoming infinite. */
export function tinyEpsilon({ plan }: Engine): number | undefined {
  const { epsilon = 1 } = plan.spec.optimizer as AnyOptimizer;
  return epsilon < LEAST_EPSILON ? epsilon : undefined;
}

/** A NUMERIC error that names the step and the likely cause; the model is as before it. */
function diverged(engine: Engine, what: string, cause?: string): SimdgradError {
  const { learningRate, step } = engine.update;
  return new SimdgradError(
    "NUMERIC",
    `Training diverged at optimizer step ${step + 1} with learning rate ${learningRate}: ${what}. The weights are those before this step.`,
    cause,
  );
}

function place(owner: string): string {
  return /^\d/.test(owner) ? `layer ${owner}` : `the ${owner}`;
}

function isFiniteBuffer(engine: Engine, buffer: BufferRef, rows: number): boolean {
  const address = engine.address(buffer);
  const { kernels } = engine;
  if (!buffer.perRow) return kernels.first_non_finite(buffer.columns, address) < 0;
  for (let i = 0; i < rows; i++) {
    if (kernels.first_non_finite(buffer.columns, address + i * buffer.stride * 4) >= 0) return false;
  }
  return true;
}

/** What is wrong before the rate is: weights that somebody wrote, unscaled inputs, unscaled targets. */
function causeOf(engine: Engine, { x, targets }: LossProgram, rows: number): string | undefined {
  const known = badWeight(engine) ?? unscaled(engine, x, rows, "Feature") ?? grown(engine);
  // Labels are integers: only rows of values can be too large.
  return known ?? (targets.name === "rows" ? unscaled(engine, targets, rows, "Target") : undefined);
}

function badWeight(engine: Engine): string | undefined {
  const { parameters } = engine.plan.blocks;
  const index = engine.kernels.first_non_finite(parameters.columns, engine.address(parameters));
  if (index < 0) return undefined;
  return `${parameterAt(engine, index).name} holds ${engine.view(parameters)[index]}, which no step wrote: set finite weights.`;
}

/** Weights that no smaller rate brings back. */
function grown(engine: Engine): string | undefined {
  const { parameters } = engine.plan.blocks;
  const largest = engine.kernels.largest_magnitude(parameters.columns, engine.address(parameters));
  if (largest <= WRECKED) return undefined;
  return `The weights have grown to ${largest}: build the model anew with a smaller learning rate, or set weights from before.`;
}

function unscaled(engine: Engine, buffer: BufferRef, rows: number, name: string): string | undefined {
  const { columns } = buffer;
  const values = engine.view(buffer, rows * columns);
  const tops = new Float32Array(columns);
  for (let i = 0; i < values.length; i++) tops[i % columns] = Math.max(tops[i % columns], Math.abs(values[i]));
  // Indices may be as large as they are.
  if (buffer.name === "x") for (const { column } of engine.plan.indices) tops[column] = 0;
  const largest = indexOfLargest(tops);
  const usual = tops.slice().sort()[columns >> 1];
  if (tops[largest] <= UNSCALED && tops[largest] <= OUTSTANDING * Math.max(usual, 1)) return undefined;
  return `${name} ${largest} reaches ${tops[largest]}: scale it to about -1 to 1.`;
}

function largestIn(engine: Engine, block: "parameters" | "gradients"): string {
  const values = engine.view(engine.plan.blocks[block]);
  const largest = indexOfLargest(values);
  const { name } = parameterAt(engine, largest);
  const what = block === "gradients" ? "gradient" : "weight";
  return `the largest ${what} is ${values[largest]}, in layer ${name.slice(0, name.lastIndexOf("."))} (${name})`;
}

function indexOfLargest(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]) > Math.abs(values[largest])) largest = i;
  return largest;
}

function parameterAt(engine: Engine, index: number): { readonly name: string } {
  const { parameters } = engine.plan;
  const found = parameters.find(({ ref }) => index < (ref.within?.offset ?? 0) + ref.columns);
  return found ?? { name: "the parameters" };
}
