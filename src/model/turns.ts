// When the event loop is to turn.
import type { Engine } from "./engine.ts";

/** Planned work between two turns of the event loop, about 10 ms of it: FLOPs, with what a call, a row and a number
 *  that is moved cost beside them. */
const WORK_A_TURN = 2e8;
const WORK_A_STEP = 1e5;
const WORK_A_ROW = 2000;
const WORK_A_NUMBER = 30;

/** Lets the event loop turn by planned work and not by a clock: on Workers clocks stand still between I/O. */
export class Turns {
  private readonly workARow: number;
  private work = 0;
  /** Grows to a whole turn: the engine runs what is new to it many times slower. */
  private limit = WORK_A_TURN / 16;

  constructor({ plan }: Engine) {
    const units = plan.planned.reduce((sum, layer) => sum + layer.units, plan.spec.input);
    this.workARow = WORK_A_ROW + WORK_A_NUMBER * units + 6 * plan.parameterCount;
  }

  /** Whether it is time, after a call on these rows. */
  due(rows: number): boolean {
    this.work += WORK_A_STEP + this.workARow * rows;
    if (this.work < this.limit) return false;
    this.work = 0;
    this.limit = Math.min(2 * this.limit, WORK_A_TURN);
    return true;
  }
}
