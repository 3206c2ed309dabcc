// The training step and the measuring of a loss: what fit, trainBatch and evaluate share.
import type { Step } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { lossRule } from "../losses/index.ts";
import type { LossProgram } from "../plan/compile.ts";
import { loadBatch, type Selection } from "./batches.ts";
import type { ReadDataset, TargetShape } from "./data.ts";
import { diverged, explainDivergence } from "./divergence.ts";
import type { Engine, RunList } from "./engine.ts";

/** A classifier's loss beyond this is no loss any more: only a rate far too high leads there. */
const DIVERGED_LOSS = 1e12;

/** Sums over rows, so that batches and chunks add up to a mean. */
export interface LossSums {
  loss: number;
  weight: number;
  /** Right answers; stays 0 where the loss has no classes. */
  correct: number;
  /** How many answers there were. */
  answers: number;
}

interface BoundLoss {
  readonly program: LossProgram;
  readonly forward: RunList;
  readonly correct: RunList | undefined;
  readonly rest: RunList;
}

export class Trainer {
  private readonly engine: Engine;
  private readonly update: RunList;
  private readonly bound = new Map<LossProgram, BoundLoss>();
  private readonly limit: number;
  readonly targets: TargetShape;
  readonly classifies: boolean;

  constructor(engine: Engine) {
    const { spec, outputs, update } = engine.plan;
    const kind = spec.loss ? lossRule(spec.loss).targets : "values";
    this.engine = engine;
    this.update = engine.list(update?.steps ?? []);
    this.targets = { kind, outputs };
    this.classifies = kind !== "values";
    this.limit = this.classifies ? DIVERGED_LOSS : Number.MAX_VALUE;
  }

  /** One optimizer step on rows of a data set; the loss before it. With `sums`, adds to them.
   *  Errors: DATA for non-finite inputs, NUMERIC, both before anything is written. */
  step(where: string, data: ReadDataset, selection: Selection, sums?: LossSums): number {
    const { engine } = this;
    const loss = this.lossOf("train", data);
    loadBatch(where, engine, loss.program, data, selection);
    loss.forward.run(selection.count);
    if (sums) this.count(loss, selection.count, sums);
    loss.rest.run(selection.count);
    const value = this.readSums(sums);
    if (!(Math.abs(value) <= this.limit) || !this.gradientsAreFinite()) {
      throw explainDivergence(engine, loss.program, selection.count, value);
    }
    this.applyUpdate();
    return value;
  }

  /** The optimizer's step on the gradients that are there. Errors: NUMERIC. */
  applyUpdate(): void {
    const { engine } = this;
    engine.update.step++;
    const kept = this.update.calls(1).reduce((sum, call) => sum + Number(call()), 0);
    if (kept > 0)
      throw diverged(engine, `the update of ${kept} parameters would overflow; they were left as they were`);
  }

  gradientsAreFinite(): boolean {
    const { engine } = this;
    const { gradients } = engine.plan.blocks;
    return engine.kernels.first_non_finite(gradients.columns, engine.address(gradients)) < 0;
  }

  /** Loss and right answers of a whole data set in inference mode. Errors: DATA. */
  evaluate(where: string, data: ReadDataset): LossSums {
    const sums: LossSums = { loss: 0, weight: 0, correct: 0, answers: 0 };
    const loss = this.lossOf("evaluate", data);
    const chunk = this.engine.placement.capacity;
    for (let start = 0; start < data.rows; start += chunk) {
      const count = Math.min(chunk, data.rows - start);
      loadBatch(where, this.engine, loss.program, data, { start, count });
      loss.forward.run(count);
      this.count(loss, count, sums);
      loss.rest.run(count);
      this.readSums(sums);
    }
    return sums;
  }

  private count({ correct }: BoundLoss, rows: number, sums: LossSums): void {
    if (!correct) return;
    sums.correct += Number((correct.calls(rows)[0] as () => unknown)());
    sums.answers += this.targets.kind === "classes" ? rows : rows * this.targets.outputs;
  }

  /** The mean loss that the kernel left, added to `sums`. */
  private readSums(sums: LossSums | undefined): number {
    const [loss, weight] = this.engine.sums;
    if (sums) {
      sums.loss += loss;
      sums.weight += weight;
    }
    return weight > 0 ? loss / weight : loss;
  }

  private lossOf(part: "train" | "evaluate", data: ReadDataset): BoundLoss {
    const programs = this.engine.plan.losses.get(`${data.targets.kind}${data.weights ? "Weighted" : ""}`);
    if (!programs) throw new SimdgradError("CONFIG", "This model has no loss.", "Pass `loss` to sequential.");
    const program = programs[part];
    let bound = this.bound.get(program);
    if (!bound) {
      bound = this.bindLoss(program);
      this.bound.set(program, bound);
    }
    return bound;
  }

  private bindLoss(program: LossProgram): BoundLoss {
    const { engine } = this;
    const { steps, forwardSteps, correct } = program;
    return {
      program,
      forward: engine.list(steps.slice(0, forwardSteps)),
      correct: correct && engine.list([correct satisfies Step]),
      rest: engine.list(steps.slice(forwardSteps)),
    };
  }
}
