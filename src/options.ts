// Checks of what users pass as options. `where` names the call, so that every message does.
import { SimdgradError, show } from "./errors.ts";

/** The length of a list: an array, or what has a length like one. Text and 64-bit integers are none, nor is a proxy of a
 *  typed array, whose length throws. */
export function lengthOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value instanceof BigInt64Array || value instanceof BigUint64Array) return undefined;
  try {
    const { length } = value as { length: number };
    return Number.isSafeInteger(length) && length >= 0 && length < 2 ** 32 ? length : undefined;
  } catch {
    return undefined;
  }
}

/** Errors: CONFIG when options is no object, or one with a meaning of its own: a Map, a Promise, an array. */
export function checkObject<T>(where: string, options: T): T {
  if (Object.prototype.toString.call(options) === "[object Object]") return options;
  throw new SimdgradError("CONFIG", `${where}: expected an object of options, received ${show(options)}.`);
}

/** Errors: CONFIG when options is no object or has a key that is not known. */
export function checkKeys(where: string, options: unknown, known: readonly string[]): void {
  for (const key of Object.keys(checkObject(where, options) as object)) {
    if (known.includes(key)) continue;
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected options that it knows, received the unknown option ${show(key)}.`,
      known.length > 0 ? `Known options: ${known.join(", ")}.` : "It takes none.",
    );
  }
}

/** The options themselves once their keys are known. Errors: CONFIG. */
export function checkOptions<T>(where: string, options: T, known: readonly string[]): T {
  checkKeys(where, options, known);
  return options;
}

/** Errors: CONFIG that names all that are missing, or when options is no object. */
export function checkRequired(where: string, options: object, required: readonly string[]): void {
  const missing = required.filter((name) => checkObject(where, options)[name as never] === undefined);
  if (missing.length === 0) return;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected the options ${required.join(", ")}, received no ${missing.join(", no ")}.`,
    "All others have defaults.",
  );
}

/** Options once checked: all there, whatever a program's compiler makes of `undefined`. */
export type Complete<O> = { readonly [K in keyof O]-?: Exclude<O[K], undefined> };

/** What was passed, or the default where nothing was: null is no nothing. */
export function orDefault<T>(value: T | undefined, standard: T): T {
  return value === undefined ? standard : value;
}

/** A whole number of at least `least`. */
export function checkCount(where: string, name: string, value: unknown, least = 1): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected ${name} to be a whole number of at least ${least}${Number.isInteger(value) && (value as number) > least ? " and less than 2^53" : ""}, received ${show(value)}.`,
    );
  }
  return value as number;
}

/** A finite number in [low, high], or without its ends where they are open; `single`: kernels take it as f32, where
 *  it has to be finite too; `range`: both ends in words, where their numbers say little. */
export function checkNumber(
  where: string,
  name: string,
  value: unknown,
  {
    low = Number.NEGATIVE_INFINITY,
    high = Number.POSITIVE_INFINITY,
    openLow = false,
    openHigh = false,
    single = false,
    range = "",
  } = {},
): number {
  const ok =
    typeof value === "number" &&
    Number.isFinite(single ? Math.fround(value) : value) &&
    (openLow ? value > low : value >= low) &&
    (openHigh ? value < high : value <= high);
  if (ok) return value;
  const from = low === Number.NEGATIVE_INFINITY ? "" : ` ${openLow ? ">" : ">="} ${low}`;
  const to = high === Number.POSITIVE_INFINITY ? "" : `${from && " and"} ${openHigh ? "<" : "<="} ${high}`;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected ${name} to be a finite ${single ? "f32 " : ""}number${range || from + to}, received ${show(value)}.`,
  );
}

export function checkBoolean(where: string, name: string, value: unknown): boolean {
  if (typeof value !== "boolean") {
    throw new SimdgradError("CONFIG", `${where}: expected ${name} to be true or false, received ${show(value)}.`);
  }
  return value;
}

/** One of the names given. */
export function checkName<T extends string>(where: string, name: string, value: unknown, names: readonly T[]): T {
  if (!names.includes(value as T)) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected ${name} to be one of ${names.join(", ")}, received ${show(value)}.`,
    );
  }
  return value as T;
}
