// The optimizer's step on the gradients that are there: all of it or nothing.
import type { Magnitudes, Step } from "../contract.ts";
import { optimizerRule } from "../optimizers/index.ts";
import type { LossProgram } from "../plan/compile.ts";
import { explainUpdate } from "./divergence.ts";
import type { Engine, StateCopy } from "./engine.ts";

/** Sums of a few numbers up to here are finite, and so is any mean of squares plus one: the largest f32 takes in 1e31. */
const SAFE = 1e30;

/** A kernel refuses the elements whose update is not finite, once it has written others. Where that may happen, the
 *  update is made with a copy at hand. Whether it may is told from numbers alone: what gradients, parameters and moments
 *  are at most. They are looked through when they come from outside, and when the bound on them has become too loose. */
export class Update {
  private readonly engine: Engine;
  /** Its result bounds the gradients, as lanes add up what each found: infinity or NaN when any is. */
  readonly look: Step;
  /** How many elements would not be finite. */
  readonly steps: readonly Step[];
  private copy: StateCopy | undefined;

  constructor(engine: Engine) {
    const { gradients } = engine.plan.blocks;
    this.engine = engine;
    this.look = { kernel: "largest_magnitude", args: [gradients.columns, gradients], owner: "", writes: gradients };
    this.steps = engine.plan.update?.steps ?? [];
  }

  /** Between the two. `gradient`: no gradient is larger. */
  prepare(gradient: number): void {
    this.copy = this.isSafe(gradient) ? undefined : this.engine.copyState();
  }

  /** After both. Errors: NUMERIC if any element was refused; the state is as before then. */
  finish(refused: number, program?: LossProgram, rows = 0): void {
    const { engine, copy } = this;
    this.copy = undefined;
    if (refused > 0) {
      if (copy) engine.restoreState(copy);
      throw explainUpdate(engine, refused, program, rows);
    }
    engine.update.step++;
  }

  private isSafe(gradient: number): boolean {
    const { engine } = this;
    const known = engine.isExposed ? undefined : engine.most;
    engine.most = (known && this.after(gradient, known)) ?? this.after(gradient, this.present());
    return engine.most !== undefined;
  }

  /** What the step leads to at most; undefined where a number may not be finite. */
  private after(gradient: number, most: Magnitudes): Magnitudes | undefined {
    const { plan, update } = this.engine;
    const { optimizer } = plan.spec;
    const next =
      optimizer && optimizerRule(optimizer).bound(optimizer, update.learningRate, Math.max(gradient, 1), most);
    return next && next.parameter <= SAFE && next.moment <= SAFE ? next : undefined;
  }

  private present(): Magnitudes {
    const { kernels, plan } = this.engine;
    const { parameters, moments } = plan.blocks;
    const [parameter, ...rest] = [parameters, ...moments].map((block) =>
      kernels.largest_magnitude(block.columns, this.engine.address(block)),
    );
    return { parameter: Math.max(parameter, 1), moment: Math.max(...rest, 1) };
  }
}
