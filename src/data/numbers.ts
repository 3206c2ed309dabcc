// What is learned from a column of numbers: what fills its gaps, and how it is shifted and scaled.
import { SimdgradError } from "../errors.ts";
import { checkName, checkNumber, orDefault } from "../options.ts";

/** Where a value is missing: a mean, median, most frequent value or number in its place, or an error. */
export type FillStrategy = "mean" | "median" | "most-frequent" | "error" | number;
const FILLS = ["mean", "median", "most-frequent", "error"] as const;
/** To mean 0 and standard deviation 1; to the range 0..1; or not at all. */
export type ScaleStrategy = "standardize" | "min-max" | "none";

/** What columns of numbers become. */
export interface NumberFitOptions {
  /** Default "mean". */
  fill?: FillStrategy | undefined;
  /** Default "standardize". */
  scale?: ScaleStrategy | undefined;
}

/** (value - offset) * factor, a missing value being `fill`; null: there must be none. */
export interface NumberFit {
  readonly fill: number | null;
  readonly offset: number;
  readonly factor: number;
}

export function isFit(value: NumberFit): boolean {
  return [value?.fill ?? 0, value?.offset, value?.factor].every(Number.isFinite);
}

export interface CheckedFit {
  readonly fill: FillStrategy;
  readonly scale: ScaleStrategy;
}

/** Errors: CONFIG. */
export function checkFit(where: string, { fill, scale }: NumberFitOptions): CheckedFit {
  return {
    fill:
      typeof fill === "number"
        ? checkNumber(where, "fill", fill, { single: true })
        : checkName(where, "fill", orDefault<string>(fill, "mean"), FILLS),
    scale: checkName(where, "scale", orDefault(scale, "standardize"), ["standardize", "min-max", "none"]),
  };
}

/** Collects a column, in as many pieces as it comes in. Only median and most-frequent keep its values. */
export class NumberCollector {
  private readonly options: CheckedFit;
  private readonly counts: Map<number, number> | undefined;
  private count = 0;
  private missing = 0;
  private mean = 0;
  /** Sum of squared differences from the mean. */
  private squares = 0;
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;

  constructor(options: CheckedFit) {
    this.options = options;
    this.counts = options.fill === "median" || options.fill === "most-frequent" ? new Map() : undefined;
  }

  /** Source: Welford 1962 (mean and squares). */
  add(value: number): void {
    if (Number.isNaN(value)) {
      this.missing++;
      return;
    }
    this.count++;
    const difference = value - this.mean;
    this.mean += difference / this.count;
    this.squares += difference * (value - this.mean);
    if (value < this.low) this.low = value;
    if (value > this.high) this.high = value;
    this.counts?.set(value, (this.counts.get(value) ?? 0) + 1);
  }

  /** `name` is the column's in messages. Errors: DATA when there is no value, or none that can be scaled. */
  finish(where: string, name: string): NumberFit {
    if (this.count === 0 && typeof this.options.fill !== "number") {
      throw new SimdgradError(
        "DATA",
        `${where}: expected a value in column ${name}, found only missing ones.`,
        "Leave the column out (ignore), or fill it with a number.",
      );
    }
    const fill = this.filling();
    const missing = fill === null ? 0 : this.missing;
    const scaling = this.scaling(missing, fill ?? 0);
    // Infinity, or squares that overflow: all values would become 0, or NaN.
    const sound = [this.low, this.high, scaling.offset, 1 / scaling.factor, scaling.factor].every(Number.isFinite);
    if (sound || this.count === 0) return { fill, ...scaling };
    throw new SimdgradError(
      "DATA",
      `${where}: expected numbers that can be scaled in column ${name}, found ${this.low} to ${this.high}.`,
      "Leave the column out (ignore), or bring it to a sane range first.",
    );
  }

  private filling(): number | null {
    const { fill } = this.options;
    if (typeof fill === "number") return fill;
    if (fill === "error") return null;
    if (fill === "mean") return this.mean;
    const byValue = [...(this.counts as Map<number, number>)].sort(([a], [b]) => a - b);
    if (fill === "median") return (valueAt(byValue, (this.count - 1) >> 1) + valueAt(byValue, this.count >> 1)) / 2;
    return byValue.reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
  }

  /** Of the column as it is once filled. Source: Chan, Golub & LeVeque 1979 (joining means and squares). */
  private scaling(missing: number, fill: number): { offset: number; factor: number } {
    const { scale } = this.options;
    if (scale === "none") return { offset: 0, factor: 1 };
    if (scale === "min-max") {
      const low = missing > 0 && fill < this.low ? fill : this.low;
      const high = missing > 0 && fill > this.high ? fill : this.high;
      return high > low ? { offset: low, factor: 1 / (high - low) } : { offset: low, factor: 1 };
    }
    const rows = this.count + missing;
    const difference = fill - this.mean;
    const mean = missing > 0 ? this.mean + (difference * missing) / rows : this.mean;
    const squares = this.squares + (missing > 0 ? (difference * difference * this.count * missing) / rows : 0);
    const deviation = Math.sqrt(squares / rows);
    // A column that is constant but for rounding stays at 0.
    return { offset: mean, factor: deviation > 1e-12 * Math.abs(mean) ? 1 / deviation : 1 };
  }
}

/** The value at a position of the sorted column. */
function valueAt(byValue: readonly (readonly [value: number, count: number])[], position: number): number {
  let passed = 0;
  for (const [value, count] of byValue) {
    passed += count;
    if (passed > position) return value;
  }
  return Number.NaN;
}

/** A value as the model gets it; NaN is one that is missing and must not be. */
export function applyFit({ fill, offset, factor }: NumberFit, value: number): number {
  const known = Number.isNaN(value) ? (fill ?? Number.NaN) : value;
  return (known - offset) * factor;
}
