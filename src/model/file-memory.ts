// What memory a file may ask for.
import { SimdgradError } from "../errors.ts";
import { place } from "../plan/arena.ts";
import type { Plan } from "../plan/compile.ts";

/** Memory that a file of no size may ask for, and for each of its bytes. */
const FREE_BYTES = 2 ** 26;
const BYTES_A_BYTE = 64;

/** Rows to plan for: fewer than wanted where a file has layers much wider than the data behind them.
 *  Errors: FORMAT when a single row takes too much. */
export function capacityOf(
  { fixed, programs }: Pick<Plan, "fixed" | "programs">,
  wanted: number,
  fileBytes: number,
): number {
  const most = FREE_BYTES + BYTES_A_BYTE * fileBytes;
  for (let rows = wanted; ; rows = Math.floor(rows / 2)) {
    const { end } = place(fixed, programs, rows, 1);
    if (end <= most) return rows;
    if (rows > 1) continue;
    throw new SimdgradError(
      "FORMAT",
      `load: expected a network that takes at most ${most} bytes, as its file has ${fileBytes}, found one that takes ${end}.`,
      "The file is damaged, or made to exhaust memory.",
    );
  }
}
