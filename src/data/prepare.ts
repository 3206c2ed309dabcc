// Learns from tables what turns them into numbers.
import { SimdgradError, show } from "../errors.ts";
import { checkBoolean, checkKeys, checkName, orDefault } from "../options.ts";
import { classesOf } from "./classes.ts";
import { type CheckedFit, checkFit, NumberCollector, type NumberFitOptions } from "./numbers.ts";
import {
  type CategoryFeature,
  changedType,
  type Feature,
  type Preprocessing,
  type Target,
  widthOf,
} from "./preprocessing.ts";
import {
  type Column,
  type ColumnType,
  checkStream,
  checkTable,
  checkTexts,
  columnNamed,
  isMissing,
  type Table,
} from "./table.ts";
import { Tally, type WhyText } from "./why-text.ts";

/** Options of `prepare`. */
export interface PrepareOptions extends NumberFitOptions {
  /** The column to predict. */
  target?: string | undefined;
  /** Default: a class when the target is text, else a number. */
  task?: "classification" | "regression" | undefined;
  /** Columns that are no inputs. */
  ignore?: readonly string[] | undefined;
  /** Columns that are categories, though they are numbers, or look like them. */
  categories?: readonly string[] | undefined;
  /** What a missing category becomes: the most frequent one, or zeros in all its inputs. Default "most-frequent". */
  fillCategory?: "most-frequent" | "zeros" | undefined;
  /** What a category becomes that the training part did not have: an error, or zeros in all its inputs. Default "error". */
  unknown?: "error" | "zeros" | undefined;
  /** Whether a number to predict is standardized. Default true. */
  scaleTarget?: boolean | undefined;
}

const OPTIONS = [
  "target",
  "task",
  "ignore",
  "categories",
  "fill",
  "scale",
  "fillCategory",
  "unknown",
  "scaleTarget",
] as const;

/** Learns from a table what turns it into numbers: pass the training part alone.
 *  Errors: CONFIG; DATA for columns that are not there or hold nothing. */
export function prepare(table: Table, options: PrepareOptions = {}): Preprocessing {
  const learner = new Learner("prepare", table, options);
  learner.add(table);
  return learner.finish();
}

/** The same from tables that follow each other, such as csvStream's, in bounded memory.
 *  Errors: as prepare; the source's own. */
export async function prepareStream(
  tables: AsyncIterable<Table> | Iterable<Table>,
  options: PrepareOptions = {},
): Promise<Preprocessing> {
  let learner: Learner | undefined;
  for await (const table of checkStream("prepareStream", tables)) {
    learner ??= new Learner("prepareStream", table, options);
    learner.add(table);
  }
  if (!learner) throw new SimdgradError("DATA", "prepareStream: expected at least one table, received none.");
  return learner.finish();
}

interface Collector {
  add(column: Column, table: Table): void;
  finish(): Feature;
}

/** Collects what there is to know about each column. */
class Learner {
  private readonly where: string;
  private readonly options: PrepareOptions;
  private readonly collectors: ReadonlyMap<string, Collector>;
  private rows = 0;
  private readonly target: { readonly name: string; readonly collector: TargetCollector } | undefined;

  constructor(where: string, first: Table, options: PrepareOptions) {
    checkTable(where, first);
    checkPrepare(where, options, first);
    this.where = where;
    this.options = options;
    const { target, ignore = [] } = options;
    const columns = first.columns.filter(({ name }) => name !== target && !ignore.includes(name));
    this.collectors = new Map(columns.map((column) => [column.name, this.collectorOf(column)]));
    if (columns.length === 0)
      throw new SimdgradError(
        "DATA",
        `${where}: expected at least one input column, found none.`,
        "A table has more columns than target and ignore name.",
      );
    if (target === undefined) return;
    const collector = new TargetCollector(where, columnNamed(where, first, target), options);
    this.target = { name: target, collector };
  }

  private collectorOf({ name, type }: Column): Collector {
    const { where, options } = this;
    if (type === "number" && !options.categories?.includes(name))
      return numberCollector(where, name, checkFit(where, options));
    return new CategoryCollector(where, name, type, options);
  }

  add(table: Table): void {
    this.rows += checkTable(this.where, table).rows;
    for (const [name, collector] of this.collectors) collector.add(columnNamed(this.where, table, name), table);
    if (this.target) this.target.collector.add(columnNamed(this.where, table, this.target.name), table);
  }

  finish(): Preprocessing {
    if (this.rows === 0) {
      throw new SimdgradError(
        "DATA",
        `${this.where}: expected at least one row to learn from, found none.`,
        "A header alone tells names.",
      );
    }
    const features = [...this.collectors.values()].map((collector) => collector.finish());
    return {
      kind: "preprocessing",
      version: 1,
      inputs: features.reduce((sum, feature) => sum + widthOf(feature), 0),
      features,
      ...(this.target ? { target: this.target.collector.finish() } : {}),
    };
  }
}

function checkPrepare(where: string, options: PrepareOptions, table: Table): void {
  checkKeys(where, options, OPTIONS);
  const { task, ignore = [], categories = [], fillCategory, unknown, scaleTarget } = options;
  for (const name of checkTexts(where, "ignore", ignore)) columnNamed(where, table, name);
  for (const name of checkTexts(where, "categories", categories)) columnNamed(where, table, name);
  if (task !== undefined) checkName(where, "task", task, ["classification", "regression"]);
  checkName(where, "fillCategory", orDefault(fillCategory, "most-frequent"), ["most-frequent", "zeros"]);
  checkName(where, "unknown", orDefault(unknown, "error"), ["error", "zeros"]);
  checkBoolean(where, "scaleTarget", orDefault(scaleTarget, true));
}

function numberCollector(where: string, name: string, fit: CheckedFit): Collector {
  const collector = new NumberCollector(fit);
  return {
    add: ({ type, values }) => {
      if (type !== "number") throw changedType(where, name, "number", type);
      for (const value of values) collector.add(value);
    },
    finish: () => ({ column: name, kind: "number", ...collector.finish(where, show(name)) }),
  };
}

class CategoryCollector implements Collector {
  private readonly tally: Tally;
  private readonly where: string;
  private readonly name: string;
  private readonly type: ColumnType;
  private readonly options: PrepareOptions;

  constructor(where: string, name: string, type: ColumnType, options: PrepareOptions) {
    this.where = where;
    this.name = name;
    this.type = type;
    this.options = options;
    this.tally = new Tally(options.categories?.includes(name));
  }

  add(column: Column, table: Table): void {
    if (column.type !== this.type) throw changedType(this.where, this.name, this.type, column.type);
    this.tally.add(column, table);
  }

  finish(): CategoryFeature {
    const { counts } = this.tally;
    const why = this.tally.why(this.name);
    if (why?.likely)
      throw noNumber(this.where, this.name, why, `categories: [${show(this.name)}] ${AS_IT_IS}, ignore leaves it out`);
    const categories = classesOf([...counts.keys()]);
    if (categories.length === 0) {
      throw new SimdgradError(
        "DATA",
        `${this.where}: expected a category in column ${show(this.name)}, found only missing ones.`,
        "Leave the column out (ignore).",
      );
    }
    const count = (category: string) => counts.get(category) as number;
    const frequent = categories.reduce((best, category) => (count(category) > count(best) ? category : best));
    return {
      column: this.name,
      kind: "category",
      type: this.type,
      categories,
      fill: this.options.fillCategory === "zeros" ? null : frequent,
      unknown: this.options.unknown ?? "error",
    };
  }
}

/** The error of text that should have been numbers; `asked`: which option takes it as text. */
function noNumber(
  where: string,
  name: string,
  { kind, cell, examples, message }: WhyText,
  asked: string,
): SimdgradError {
  const comma = 'decimal: "," of csv reads commas before fractions';
  const remedy = {
    text:
      cell === name
        ? "The header stands there again: leave such rows out"
        : `missing: [...MISSING_CELLS, ${examples.map(show).join(", ")}] of csv takes such cells for missing`,
    signs: "Write numbers without currencies, shares and signs between thousands",
    decimal: comma,
    thousands: `Write numbers without signs between thousands, or ${comma}`,
    number: "Make numbers of all cells",
  }[kind];
  return new SimdgradError("DATA", `${where}: ${message}.`, `${remedy}; ${asked}.`);
}

const AS_IT_IS = "takes the column as it is";
const CLASSES = `task: "classification" ${AS_IT_IS}`;

/** Errors: DATA where a target is missing. */
class TargetCollector {
  private readonly where: string;
  private readonly column: Pick<Column, "name" | "type">;
  private readonly classes: Tally | undefined;
  private readonly numbers: NumberCollector | undefined;

  constructor(where: string, column: Column, { task, scaleTarget }: PrepareOptions) {
    this.where = where;
    this.column = { name: column.name, type: column.type };
    if ((task ?? (column.type === "text" ? "classification" : "regression")) === "classification") {
      this.classes = new Tally(task !== undefined);
    } else {
      this.numbers = new NumberCollector({ fill: "error", scale: scaleTarget === false ? "none" : "standardize" });
    }
  }

  add(column: Column, table: Table): void {
    const { name, type } = column;
    if (type !== this.column.type) throw changedType(this.where, name, this.column.type, type);
    this.classes?.add(column, table);
    if (!this.numbers) return;
    if (type === "text") {
      const why = new Tally().add(column, table).why(name);
      throw why ? noNumber(this.where, name, why, CLASSES) : changedType(this.where, name, "number", type);
    }
    for (let i = 0; i < column.values.length; i++) {
      if (!isMissing(column, i)) this.numbers.add(column.values[i]);
    }
  }

  finish(): Target {
    const { name, type } = this.column;
    if (!this.classes) {
      const { offset, factor } = (this.numbers as NumberCollector).finish(this.where, show(name));
      return { column: name, kind: "number", offset, factor };
    }
    const { counts } = this.classes;
    const why = this.classes.why(name);
    if (why?.likely) throw noNumber(this.where, name, why, CLASSES);
    if (counts.size >= 2) return { column: name, kind: "class", type, classes: classesOf([...counts.keys()]) };
    throw new SimdgradError(
      "DATA",
      `${this.where}: expected at least 2 classes in column ${show(name)}, found ${counts.size}.`,
    );
  }
}
