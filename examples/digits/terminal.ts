// What the output can do, found out once.
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Such as process.stdout, on a terminal or not. */
export interface Output extends NodeJS.WritableStream {
  isTTY?: boolean;
  columns?: number;
  hasColors?(count?: number): boolean;
}

export interface Terminal {
  readonly stream: NodeJS.WritableStream;
  /** Lines can be redrawn in place. */
  readonly live: boolean;
  readonly color: boolean;
  /** 256 colours, among them 24 greys. */
  readonly greys: boolean;
  /** Characters a line. */
  readonly columns: number;
  print(text?: string): void;
  /** The text in a style, where there is colour. */
  paint(style: Style, text: string): string;
}

/** Node's own hasColors knows NO_COLOR, dumb terminals and how many colours there are. */
export function terminalOn(stream: Output): Terminal {
  const live = stream.isTTY === true;
  const color = live && stream.hasColors?.() === true;
  return {
    stream,
    live,
    color,
    greys: color && stream.hasColors?.(256) === true,
    columns: stream.columns || 100,
    print: (text = "") => void stream.write(`${text}\n`),
    paint: (style, text) => (color ? styleText(style, text, { validateStream: false }) : text),
  };
}

export function heading(terminal: Terminal, text: string): void {
  terminal.print(`\n${terminal.paint("bold", text)}`);
}

/** Columns of equal width, the first to the left, the others to the right; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, j) => Math.max(...rows.map((row) => row[j].length)));
  const align = (cell: string, j: number) => (j === 0 ? cell.padEnd(widths[j]) : cell.padStart(widths[j]));
  const [head, ...body] = rows.map((row) => row.map(align).join("  "));
  return [head, widths.map((width) => "-".repeat(width)).join("  "), ...body].join("\n");
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
