// Which digit was taken for which.
import { CLASSES } from "./digits.ts";
import type { Terminal } from "./terminal.ts";

/** counts[truth][guess]. */
export function confusion(truths: ArrayLike<number>, guesses: ArrayLike<number>): number[][] {
  const counts = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  for (let i = 0; i < truths.length; i++) counts[truths[i]][guesses[i]]++;
  return counts;
}

/** Rows are what was written, columns what the network read. */
export function drawConfusion(counts: readonly number[][], terminal: Terminal): string {
  const width = Math.max(4, ...counts.flat().map((n) => String(n).length + 1));
  const cells = (row: readonly (number | string)[]) => row.map((cell) => String(cell).padStart(width));
  const style = (truth: number, guess: number) => (truth === guess ? "green" : "red");
  const rows = counts.map((row, truth) => {
    const painted = cells(row.map((n) => n || ".")).map((cell, guess) =>
      row[guess] > 0 ? terminal.paint(style(truth, guess), cell) : terminal.paint("dim", cell),
    );
    return `${String(truth).padStart(7)} |${painted.join("")}`;
  });
  const digits = counts.map((_, digit) => digit);
  const head = ["   read ", cells(digits).join("")].join(" ");
  return [head, `written +${"-".repeat(width * counts.length)}`, ...rows].join("\n");
}
