// The training step and the measuring of a loss: what fit, trainBatch and evaluate share.
import { lossRule } from "../losses/index.ts";
import type { Curves, Measures } from "../metrics.ts";
import type { LossProgram, LossVariant } from "../plan/compile.ts";
import { chunksOf, loadBatch } from "./batches.ts";
import { checkBatchRows, type DataShape, type ReadDataset } from "./data.ts";
import { explainDivergence, explainGradient } from "./divergence.ts";
import type { Engine, RunList } from "./engine.ts";
import { rowOf, type Selection } from "./matrix.ts";
import { type LossSums, noSums } from "./progress.ts";
import { validationName } from "./reports.ts";
import { Update } from "./update.ts";

/** A classifier that began below and is beyond this has left all probabilities: only a rate far too high leads there. */
const DIVERGED_LOSS = 1e6;

/** What the rows of an evaluation came to so far. */
interface Measuring {
  readonly sums: LossSums;
  /** The engine's after the last chunk: other calls may come before the next. */
  readonly kernelSums: Float64Array;
  /** In evaluation alone, for metrics that need every row. */
  readonly curves?: Curves | undefined;
}

/** The part of it that batches have too. */
type Summed = Omit<Measuring, "kernelSums">;

/** Loss and metrics of some rows. */
export interface Evaluation extends Measures {
  /** Mean over rows and outputs, by the rows' weights. */
  loss: number;
  /** For classifiers: the share of right answers, whatever rows weigh. */
  accuracy?: number;
}

interface BoundLoss {
  readonly program: LossProgram;
  /** Forward; the loss and its way back; in training also the update. */
  readonly list: RunList;
  readonly correct: RunList | undefined;
  readonly commit: RunList | undefined;
}

/** What the loss's part of a list is followed by. */
const UPDATE = 2;

export class Trainer {
  readonly engine: Engine;
  private readonly update: Update;
  /** The update of gradients that are there. */
  private readonly updateList: RunList;
  private readonly bound = new Map<LossProgram, BoundLoss>();
  readonly shape: DataShape;
  readonly classifies: boolean;

  constructor(engine: Engine) {
    const { spec, outputs, indices } = engine.plan;
    const kind = spec.loss ? lossRule(spec.loss).targets : "values";
    this.engine = engine;
    this.update = new Update(engine);
    this.updateList = engine.list([this.update.look], this.update.steps);
    this.shape = { inputs: spec.input, indices, kind, outputs };
    this.classifies = kind !== "values";
  }

  /** One optimizer step on rows of a data set; the loss before it. With `sums`, adds to them. Rows that all weigh
   *  nothing make no step. Errors: DATA for non-finite inputs, NUMERIC, both before anything is written. */
  step(where: string, data: ReadDataset, selection: Selection, sums?: LossSums): number {
    const { engine } = this;
    const loss = this.lossOf("train", data);
    checkBatchRows(where, engine.plan, selection.count);
    loadBatch(where, engine, loss.program, data, selection);
    const { forwards } = engine.update;
    const before = sums && { ...sums, tally: sums.tally?.slice() };
    engine.update.forwards++;
    try {
      return this.stepOnBatch(loss, data, selection, sums);
    } catch (error) {
      engine.update.forwards = forwards;
      if (sums) Object.assign(sums, before);
      throw error;
    }
  }

  private stepOnBatch(loss: BoundLoss, data: ReadDataset, selection: Selection, sums?: LossSums): number {
    const { engine } = this;
    const rows = selection.count;
    let weight = 0;
    let value = 0;
    const refused = loss.list.run(rows, (gradient, next) => {
      if (next < UPDATE) {
        if (sums) this.count(loss, data, selection, { sums });
        return true;
      }
      weight = engine.sums[1];
      value = weight > 0 ? engine.sums[0] / weight : engine.sums[0];
      const limit = engine.update.bounded ? DIVERGED_LOSS : Number.MAX_VALUE;
      if (!(Math.abs(value) <= limit && gradient < Number.POSITIVE_INFINITY)) {
        throw explainDivergence(engine, loss.program, rows, value);
      }
      if (sums) {
        sums.loss += engine.sums[0];
        sums.weight += weight;
      }
      if (weight > 0) this.update.prepare(gradient);
      return weight > 0;
    });
    if (weight > 0) {
      this.update.finish(refused, loss.program, rows);
      loss.commit?.run(rows);
      engine.update.bounded ??= this.classifies && value < DIVERGED_LOSS / 1e3;
    } else {
      engine.update.forwards--;
    }
    return value;
  }

  /** Makes the gradients of the loss on rows, and no step; what the rows weigh. Errors: DATA. */
  differentiate(where: string, data: ReadDataset, selection: Selection): number {
    const loss = this.lossOf("train", data);
    loadBatch(where, this.engine, loss.program, data, selection);
    loss.list.run(selection.count, (_, next) => next < UPDATE);
    return this.engine.sums[1];
  }

  /** The optimizer's step on the gradients of a loop of one's own. Errors: NUMERIC, nothing is written then. */
  stepOnGradients(): void {
    const refused = this.updateList.run(1, (gradient) => {
      if (!(gradient < Number.POSITIVE_INFINITY)) throw explainGradient(this.engine);
      this.update.prepare(gradient);
      return true;
    });
    this.update.finish(refused);
  }

  noSums(): LossSums {
    return noSums(this.engine.plan.tally);
  }

  /** What an epoch's report holds, by name. */
  measured(validates: boolean): string[] {
    const { tally } = this.engine.plan;
    const always = this.classifies ? ["loss", "accuracy"] : ["loss"];
    const validated = [...always, ...(tally?.names ?? [])].map(validationName);
    return [...always, ...(tally?.summed ?? []), ...(validates ? validated : [])];
  }

  /** For evaluateChunks. */
  startMeasuring(): Measuring {
    const { plan, sums } = this.engine;
    return { sums: this.noSums(), kernelSums: new Float64Array(sums.length), curves: plan.tally?.noCurves() };
  }

  /** Measures a data set in inference mode, a turn for each chunk; gives the rows done. Errors: DATA. */
  *evaluateChunks(where: string, data: ReadDataset, measuring: Measuring): Generator<number, void, void> {
    const { engine } = this;
    const loss = this.lossOf("evaluate", data);
    const { sums, kernelSums } = measuring;
    for (const selection of chunksOf(data, engine)) {
      const { count } = selection;
      loadBatch(where, engine, loss.program, data, selection);
      loss.list.run(count, () => {
        this.count(loss, data, selection, measuring);
        // The kernel's own sums go on: those of chunks, added up, would depend on how many rows a chunk has.
        engine.sums.set(kernelSums);
        return true;
      });
      kernelSums.set(engine.sums);
      [sums.loss, sums.weight] = kernelSums;
      yield count;
    }
  }

  /** Means of what was summed; accuracy only where there are classes. */
  measures({ sums, curves }: Summed): Evaluation {
    const { loss, weight, correct, answers, tally } = sums;
    return {
      loss: weight > 0 ? loss / weight : 0,
      ...(answers > 0 ? { accuracy: correct / answers } : {}),
      ...(tally && this.engine.plan.tally?.values(tally, curves)),
    };
  }

  /** Right answers, and what metrics sum: between the forward part and the loss, which may overwrite z. */
  private count({ correct, program }: BoundLoss, data: ReadDataset, selection: Selection, to: Summed): void {
    const { sums, curves } = to;
    const { count } = selection;
    if (correct) {
      sums.correct += correct.run(count);
      const { kind, outputs } = this.shape;
      sums.answers += kind === "classes" ? count : count * outputs;
    }
    const { engine } = this;
    if (!sums.tally) return;
    const { stride } = program.z;
    const batch = {
      rows: count,
      z: engine.view(program.z, count * stride),
      stride,
      labels: data.targets.kind === "labels",
      targets: data.targets.matrix.values,
      weights: data.sampleWeights,
      rowOf: (i: number) => rowOf(selection, i),
    };
    engine.plan.tally?.add(sums.tally, batch, curves);
  }

  private lossOf(part: "train" | "evaluate", data: ReadDataset): BoundLoss {
    // Models without a loss, or without the training half, were refused before.
    const program = this.engine.plan.losses.get(variantOf(data))?.[part] as LossProgram;
    let bound = this.bound.get(program);
    if (!bound) {
      const { engine, update } = this;
      const { correct, steps, commits, forwardSteps } = program;
      const rest = steps.slice(forwardSteps);
      const parts = part === "train" ? [[...rest, update.look], update.steps] : [rest];
      bound = {
        program,
        list: engine.list(steps.slice(0, forwardSteps), ...parts),
        correct: correct && engine.list([correct]),
        commit: commits.length > 0 ? engine.list(commits) : undefined,
      };
      this.bound.set(program, bound);
    }
    return bound;
  }
}

export function variantOf({ targets, weights }: ReadDataset): LossVariant {
  if (targets.kind === "labels") return weights ? "labelsWeighted" : "labels";
  return weights ? "rowsWeighted" : "rows";
}
