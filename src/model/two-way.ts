// A custom loop's forward and backward: what they run, and whether a backward may come.
import { SimdgradError } from "../errors.ts";
import { checkBoolean, checkKeys, orDefault } from "../options.ts";
import type { TwoWayProgram, TwoWayPrograms } from "../plan/compile.ts";
import { copyRows, loadInputs } from "./batches.ts";
import { checkBatchRows } from "./data.ts";
import type { Engine, RunList } from "./engine.ts";
import { apartFrom, checkFinite, type Inputs, readMatrix } from "./matrix.ts";

/** Options of `forward`. */
export interface ForwardOptions {
  /** Default true. */
  training?: boolean | undefined;
}

type Mode = keyof TwoWayPrograms;

interface BoundProgram {
  readonly program: TwoWayProgram;
  readonly forward: RunList;
  /** After a first part that does nothing: once its gate is asked, the rest runs. */
  readonly backward: RunList;
  readonly commit: RunList;
}

export class TwoWay {
  private readonly engine: Engine;
  private readonly bound: Record<Mode, BoundProgram>;
  /** Rows of the forward whose backward may come; 0 when there is none. */
  private rows = 0;
  private mode: Mode = "training";
  /** For gradients as they were: lanes add in place, and one that dies leaves some sums half made. */
  private before: Float32Array | undefined;

  constructor(engine: Engine, { training, inference }: TwoWayPrograms) {
    this.engine = engine;
    this.bound = { training: bindProgram(engine, training), inference: bindProgram(engine, inference) };
  }

  /** The final activation, as the model's `forward`. Errors: SHAPE, DATA. */
  forward(x: Inputs, mode: Mode): Float32Array<ArrayBuffer> {
    const engine = this.engine;
    const { spec, outputs } = engine.plan;
    const { program, forward, commit } = this.bound[mode];
    const training = mode === "training";
    const read = readMatrix("forward", "x", x, spec.input);
    if (training) checkBatchRows("forward", engine.plan, read.rows);
    const matrix = read.rows > engine.placement.capacity ? apartFrom(read, engine.buffers) : read;
    engine.ensureCapacity("forward", matrix.rows);
    this.forget();
    loadInputs("forward", engine, program.x, matrix, { start: 0, count: matrix.rows });
    const { update } = engine;
    const { forwards } = update;
    if (training) update.forwards++;
    try {
      forward.run(matrix.rows);
    } catch (error) {
      update.forwards = forwards;
      throw error;
    }
    commit.run(matrix.rows);
    this.rows = matrix.rows;
    this.mode = mode;
    return engine.view(program.output, matrix.rows * outputs).slice();
  }

  /** Adds the gradients of the last forward's parameters; gives dLoss/dInput. Errors: CONFIG without one; SHAPE, DATA. */
  backward(dOutput: Inputs): Float32Array<ArrayBuffer> {
    const engine = this.engine;
    const { spec, outputs } = engine.plan;
    const { program, backward } = this.bound[this.mode];
    const rows = this.rows;
    if (rows === 0) {
      throw new SimdgradError(
        "CONFIG",
        "backward: expected a forward before it, found none that is still valid.",
        "Call forward(x) first; backward itself, step, setWeights, trainBatch, fit, train and health(data) use it up.",
      );
    }
    const matrix = readMatrix("backward", "dOutput", dOutput, outputs);
    if (matrix.rows !== rows) {
      throw new SimdgradError(
        "SHAPE",
        `backward: expected dOutput to have ${rows} rows, as the last forward had, received ${matrix.rows}.`,
      );
    }
    checkFinite("backward", "dOutput", matrix);
    copyRows(engine.f32, engine.address(program.dOutput), matrix, { start: 0, count: rows });
    const gradients = engine.view(engine.plan.blocks.gradients);
    let before: Float32Array | undefined;
    try {
      backward.run(rows, (_, __, shared) => {
        this.forget();
        if (shared) {
          before = this.before ??= new Float32Array(gradients.length);
          before.set(gradients);
        }
        return true;
      });
    } catch (error) {
      if (before) gradients.set(before);
      throw error;
    }
    return engine.view(program.dInput, rows * spec.input).slice();
  }

  /** What forward kept is used up or overwritten. */
  forget(): void {
    this.rows = 0;
  }
}

function bindProgram(engine: Engine, program: TwoWayProgram): BoundProgram {
  const { steps, commits, forwardSteps } = program;
  return {
    program,
    forward: engine.list(steps.slice(0, forwardSteps)),
    backward: engine.list([], steps.slice(forwardSteps)),
    commit: engine.list(commits),
  };
}

/** Errors: CONFIG. */
export function modeOf(options: ForwardOptions): Mode {
  checkKeys("forward", options, ["training"]);
  return checkBoolean("forward", "training", orDefault(options.training, true)) ? "training" : "inference";
}
