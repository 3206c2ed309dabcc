// Units of a layer that do nothing, or all the same.
import type { ParameterPlan } from "../plan/layout.ts";
import type { Engine } from "./engine.ts";

/** The columns of a kernel, each with its bias, where there is one. */
export interface Units {
  readonly columns: number;
  readonly values: Float32Array;
  readonly biases: Float32Array | undefined;
}

export function unitsOf(
  engine: Engine,
  parameters: readonly ParameterPlan[],
  part: "ref" | "gradient",
): Units | undefined {
  const kernel = parameters.find(({ name }) => name.endsWith(".kernel"));
  const bias = parameters.find(({ name }) => name.endsWith(".bias"));
  const values = kernel && engine.view(kernel[part]);
  return values && { columns: kernel.shape[1], values, biases: bias && engine.view(bias[part]) };
}

/** Whether f holds for every number that feeds a unit. */
function everyOf({ columns, values, biases }: Units, unit: number, f: (value: number, at: number) => boolean): boolean {
  for (let i = 0; i < values.length; i += columns) if (!f(values[i + unit], i)) return false;
  return !biases || f(biases[unit], -1);
}

export function deadUnits(active: readonly boolean[], gradients: Units | undefined): number[] {
  const still = (unit: number) => !gradients || everyOf(gradients, unit, (value) => value === 0);
  return [...active.keys()].filter((unit) => !active[unit] && still(unit));
}

/** Units whose weights are all 0. */
export function zeroUnits(units: Units | undefined): number[] {
  const all = Array.from({ length: units?.columns ?? 0 }, (_, unit) => unit);
  return all.filter((unit) => everyOf(units as Units, unit, (value) => value === 0));
}

export function symmetricUnits(units: Units | undefined): number[][] {
  const groups: number[][] = [];
  if (!units) return groups;
  const { columns, values, biases } = units;
  for (let j = 0; j < columns; j++) {
    const isSame = ([k]: readonly number[]) =>
      everyOf(units, j, (value, at) => value === (at < 0 ? biases?.[k] : values[at + k]));
    const group = groups.find(isSame);
    if (group) group.push(j);
    else groups.push([j]);
  }
  return groups.filter((group) => group.length > 1);
}
