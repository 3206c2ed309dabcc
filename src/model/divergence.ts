// Why a training step failed: which layer, which step, and what probably led there.
import type { BufferRef } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import type { LossProgram } from "../plan/compile.ts";
import type { Engine } from "./engine.ts";

/** Inputs beyond this are suspected before the learning rate is. */
const UNSCALED = 1e3;

/** The NUMERIC error of a step that was not made: runs it again, call by call, up to the first bad number. */
export function explainDivergence(engine: Engine, program: LossProgram, rows: number, loss: number): SimdgradError {
  const calls = engine.bind(program.steps, rows);
  for (const [i, step] of program.steps.entries()) {
    calls[i]();
    if (!isFiniteBuffer(engine, step.writes, rows)) {
      const what = i < program.forwardSteps ? "the output" : "the gradient";
      return diverged(
        engine,
        `${what} of ${place(step.owner)} is not finite (${step.kernel})`,
        unscaled(engine, program.x, rows),
      );
    }
  }
  return diverged(engine, `the loss is ${loss}`, unscaled(engine, program.x, rows));
}

/** A NUMERIC error that names the step and the likely cause; the weights are the last finite ones. */
export function diverged(engine: Engine, what: string, cause?: string): SimdgradError {
  const { learningRate, step } = engine.update;
  const rate = `The learning rate ${learningRate} is probably too high: try a tenth of it.`;
  return new SimdgradError(
    "NUMERIC",
    `Training diverged at optimizer step ${step + 1}: ${what}. The last finite weights are kept.`,
    cause ?? rate,
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

function unscaled(engine: Engine, x: BufferRef, rows: number): string | undefined {
  const values = engine.view(x, rows * x.columns);
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]) > Math.abs(values[largest])) largest = i;
  if (Math.abs(values[largest]) <= UNSCALED) return undefined;
  return `Feature ${largest % x.columns} reaches ${values[largest]}: scale the inputs to about -1 to 1.`;
}
