// Text that should have been numbers: what cells read as, and which one is in the way.
import { show } from "../errors.ts";
import { readNumber } from "./read-number.ts";
import { type Column, checkTable, columnNamed, type Table, textOf } from "./table.ts";

/** A decimal comma, or one between thousands. */
const EITHER = /^[+-]?[1-9]\d{0,2},\d{3}$/;
/** Currencies and shares around a number, and what stands between its thousands. */
const SIGNS = /^[+-]?\p{Sc}|\p{Sc}$|[%\s]|[.,'’](?=\d{3}(\D|$))/gu;
/** More different values than that are no categories. */
const MANY = 20;
/** That part of them. */
const MOST = 0.9;
/** Of one kind, for messages. */
const SHOWN = 5;

/** What cells of text read as, in the order in which they are in the way: no number; one with signs; one with a decimal
 *  comma; one whose comma may stand between thousands; a number. */
const KINDS = ["text", "signs", "decimal", "thousands", "number"] as const;

const EXPECTED = {
  text: "a number",
  signs: "a number without other signs",
  decimal: "a number with a decimal point",
  thousands: "a number without other signs",
  number: "a number, not text that reads as one,",
};

function kindOf(cell: string): (typeof KINDS)[number] {
  if (readNumber(cell) !== undefined) return "number";
  if (readNumber(cell, ",") !== undefined) return EITHER.test(cell) ? "thousands" : "decimal";
  return readNumber(cell.replace(SIGNS, ""), ",") === undefined ? "text" : "signs";
}

/** Why a column is text. */
export interface WhyText {
  /** Whether it looks like numbers: nine of ten cells, or of the different ones, read as such, and there are more than
   *  20 different ones. */
  readonly likely: boolean;
  /** What is in the way: no number; one with a currency, a share or thousands marked; one with a decimal comma; one
   *  whose comma may be either; or nothing, but the numbers are text. */
  readonly kind: (typeof KINDS)[number];
  /** The first cell that is in the way, and its row as errors call it. */
  readonly cell: string;
  readonly row: number;
  /** The different cells that are, at most five. */
  readonly examples: readonly string[];
  /** Cells that read as numbers, however they are written, and all that are there. */
  readonly numbers: number;
  readonly cells: number;
  /** What was expected and what was received, without a full stop. */
  readonly message: string;
}

/** Counts a column's different cells. */
export class Tally {
  readonly counts = new Map<string, number>();
  private readonly rows = new Map<string, number>();
  /** Whether they are categories because somebody said so. */
  private asked: boolean;

  constructor(asked = false) {
    this.asked = asked;
  }

  add(column: Column, { rowNumbers }: Pick<Table, "rowNumbers">): this {
    this.asked ||= column.type === "number" || column.asText === true;
    for (let i = 0; i < column.values.length; i++) {
      const cell = textOf(column, i);
      if (cell === null) continue;
      const count = this.counts.get(cell);
      if (count === undefined) this.rows.set(cell, rowNumbers[i]);
      this.counts.set(cell, (count ?? 0) + 1);
    }
    return this;
  }

  /** Undefined where there are no cells, and where somebody asked. */
  why(column: string): WhyText | undefined {
    if (this.asked) return undefined;
    const byKind = new Map(KINDS.map((kind) => [kind, [] as string[]]));
    let [cells, texts] = [0, 0];
    for (const [cell, count] of this.counts) {
      const kind = kindOf(cell);
      byKind.get(kind)?.push(cell);
      cells += count;
      if (kind === "text") texts += count;
    }
    const kind = KINDS.find((name) => byKind.get(name)?.length);
    if (!kind) return undefined;
    const found = byKind.get(kind) as string[];
    const [cell] = found;
    const row = this.rows.get(cell) as number;
    const all = this.counts.size;
    const words = kind === "text" ? found.length : 0;
    const others = words > 0 ? `, where ${cells - texts} of ${cells} cells are numbers` : "";
    return {
      // Nobody writes categories with decimals.
      likely: all > (kind === "decimal" ? 2 : MANY) && Math.max(1 - texts / cells, 1 - words / all) >= MOST,
      kind,
      cell,
      row,
      examples: found.slice(0, SHOWN),
      numbers: cells - texts,
      cells,
      message: `expected ${EXPECTED[kind]} in column ${show(column)} at row ${row}, received ${show(cell)}${others}`,
    };
  }
}

/** What keeps a column of text from being one of numbers; undefined for one of numbers, for an empty one, and where
 *  `types` of csv says that it is text. Errors: DATA when there is no such column. */
export function whyText(table: Table, name: string): WhyText | undefined {
  const column = columnNamed("whyText", checkTable("whyText", table), name);
  return new Tally().add(column, table).why(name);
}
