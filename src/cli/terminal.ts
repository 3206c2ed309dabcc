// Where a command writes: what it found to stdout, how it goes on to stderr.
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Such as process.stdout, on a terminal or not. */
export interface Output extends NodeJS.WritableStream {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  hasColors?(count?: number): boolean;
}

export class Terminal {
  readonly out: Output;
  readonly err: Output;
  /** Whether there is something to go on for when nobody reads stdout any more. */
  leavesFiles = false;

  constructor(out: Output, err: Output) {
    this.out = out;
    this.err = err;
  }

  /** Characters a line. */
  get columns(): number {
    return this.out.columns || 100;
  }

  print(text = ""): void {
    this.out.write(`${text}\n`);
  }

  /** Beside the results: progress and warnings. */
  note(text: string): void {
    this.err.write(`${text}\n`);
  }

  heading(text: string): void {
    this.print(`\n${this.paint("bold", text)}`);
  }

  /** In a style, where stdout has colours. */
  paint(style: Style, text: string): string {
    return this.out.isTTY && this.out.hasColors?.() ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Columns of equal width, the first to the left, the others to the right or as `left` says; the first row heads. */
export function layTable(cells: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const rows = cells.map((row) => row.map(oneLine));
  const widths = rows[0].map((_, j) => longest(rows.map((row) => row[j])));
  const align = (cell: string, j: number) => (left.includes(j) ? cell.padEnd(widths[j]) : cell.padStart(widths[j]));
  const [head, ...body] = rows.map((row) => row.map(align).join("  ").trimEnd());
  return [head, widths.map((width) => "-".repeat(width)).join("  "), ...body].join("\n");
}

/** With line breaks, and what else would move a terminal's cursor, as they are written in JSON. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character < " " ? JSON.stringify(character).slice(1, -1) : `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}

/** In a line: the first of them, and how many there are. */
export function listed(names: readonly string[], most = 6): string {
  const shown = names.slice(0, most).map((name) => cut(name, 20));
  return names.length > most ? `${shown.join(", ")} and ${names.length - most} more` : shown.join(", ");
}

/** Units: characters. */
export function cut(name: string, most: number): string {
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

/** Units: characters. Of more texts than a call takes arguments. */
export function longest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Seconds as a reader wants them. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
