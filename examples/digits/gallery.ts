// Digits drawn in the terminal, with what the network read.
import { PIXELS, type Samples, SIDE } from "./digits.ts";
import type { Terminal } from "./terminal.ts";

/** From paper to ink, for terminals without greys. */
const RAMP = " .:-=+*#%@";
const GREYS = { first: 232, count: 24 };
/** A character is about twice as high as wide, so a pixel takes two of them. */
const WIDTH = 2 * SIDE;
const GAP = "   ";

export interface Guess {
  /** Index of the row. */
  readonly row: number;
  readonly truth: number;
  readonly digit: number;
  readonly probability: number;
}

/** Shapes: probabilities [rows, classes], flat. */
export function guesses({ y }: Samples, digits: Int32Array, probabilities: Float32Array): Guess[] {
  const classes = probabilities.length / y.length;
  return Array.from(digits, (digit, row) => ({
    row,
    truth: y[row],
    digit,
    probability: probabilities[row * classes + digit],
  }));
}

/** The digits side by side, as many a line as fit. */
export function drawGallery(samples: Samples, shown: readonly Guess[], terminal: Terminal): string {
  const perLine = Math.max(1, Math.floor((terminal.columns + GAP.length) / (WIDTH + GAP.length)));
  const lines: string[] = [];
  for (let i = 0; i < shown.length; i += perLine) {
    const group = shown.slice(i, i + perLine);
    const pictures = group.map(({ row }) => drawDigit(samples.x.subarray(row * PIXELS, (row + 1) * PIXELS), terminal));
    for (let y = 0; y < SIDE; y++) lines.push(pictures.map((picture) => picture[y]).join(GAP));
    lines.push(group.map((guess) => caption(guess, terminal)).join(GAP), "");
  }
  return lines.join("\n").trimEnd();
}

function drawDigit(pixels: Float32Array, { greys }: Terminal): string[] {
  return Array.from({ length: SIDE }, (_, y) => {
    const row = Array.from(pixels.subarray(y * SIDE, (y + 1) * SIDE), greys ? grey : character);
    return greys ? `${row.join("")}\x1b[0m` : row.join("");
  });
}

function grey(ink: number): string {
  return `\x1b[48;5;${GREYS.first + Math.round(ink * (GREYS.count - 1))}m  `;
}

function character(ink: number): string {
  return RAMP[Math.round(ink * (RAMP.length - 1))].repeat(2);
}

function caption({ truth, digit, probability }: Guess, terminal: Terminal): string {
  const percent = `${Math.round(100 * probability)}%`;
  const text = `${truth} read as ${digit}, ${percent}`.padEnd(WIDTH);
  return terminal.paint(truth === digit ? "green" : "red", text);
}
