// Why a training step failed: which layer, which step, and what probably led there.
import type { BufferRef } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import type { LossProgram } from "../plan/compile.ts";
import type { Engine } from "./engine.ts";

/** Weights beyond this are past saving. */
const WRECKED = 1e6;
/** Inputs and targets beyond this are suspected before the learning rate is. */
const UNSCALED = 1e3;

/** The NUMERIC error of a step that was not made: runs it again, call by call, up to the first bad number. */
export function explainDivergence(engine: Engine, program: LossProgram, rows: number, loss: number): SimdgradError {
  const calls = engine.bind(program.steps, rows);
  const cause = causeOf(engine, program, rows);
  for (const [i, step] of program.steps.entries()) {
    calls[i]();
    if (isFiniteBuffer(engine, step.writes, rows)) continue;
    const what = i < program.forwardSteps ? "the output" : "the gradient";
    return diverged(engine, `${what} of ${place(step.owner)} is not finite (${step.kernel})`, cause);
  }
  return diverged(engine, `the loss is ${loss}; ${largestParameter(engine)}`, cause);
}

/** The NUMERIC error of a step on gradients that are not finite. */
export function explainGradient(engine: Engine): SimdgradError {
  const { gradients } = engine.plan.blocks;
  const index = engine.kernels.first_non_finite(gradients.columns, engine.address(gradients));
  const { name } = parameterAt(engine, index);
  return diverged(engine, `the gradient of ${name} is not finite`, badWeight(engine));
}

/** A NUMERIC error that names the step and the likely cause; the model is as before it. */
export function diverged(engine: Engine, what: string, cause?: string): SimdgradError {
  const { learningRate, step } = engine.update;
  return new SimdgradError(
    "NUMERIC",
    `Training diverged at optimizer step ${step + 1} with learning rate ${learningRate}: ${what}. The weights are those before this step.`,
    cause ?? "The learning rate is probably too high: try a tenth of it.",
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
  const values = engine.view(buffer, rows * buffer.columns);
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]) > Math.abs(values[largest])) largest = i;
  if (Math.abs(values[largest]) <= UNSCALED) return undefined;
  return `${name} ${largest % buffer.columns} reaches ${values[largest]}: scale it to about -1 to 1.`;
}

function largestParameter(engine: Engine): string {
  const weights = engine.view(engine.plan.blocks.parameters);
  let largest = 0;
  for (let i = 0; i < weights.length; i++) if (Math.abs(weights[i]) > Math.abs(weights[largest])) largest = i;
  const { name } = parameterAt(engine, largest);
  return `the largest weight is ${weights[largest]}, in layer ${name.split(".")[0]} (${name})`;
}

function parameterAt(engine: Engine, index: number): { readonly name: string } {
  const { parameters } = engine.plan;
  const found = parameters.find(({ ref }) => index < (ref.within?.offset ?? 0) + ref.columns);
  return found ?? { name: "the parameters" };
}
