// What a table's columns are taken for: inputs, the target, or nothing; shown before anything is trained.
import { type Column, classesOf, type Table } from "../data.ts";
import { UsageError } from "./errors.ts";
import type { Task } from "./settings.ts";
import { layTable, plural } from "./terminal.ts";

export interface ColumnChoice {
  readonly name: string;
  readonly role: "number" | "category" | "target" | "left out";
  readonly missing: number;
  readonly detail: string;
}

/** More categories than that, in more than half of the rows, are names of the rows. */
const MANY_CATEGORIES = 20;
/** A whole number with no more values than that, counted from 0 or 1, is a class. */
const FEW_CLASSES = 10;

/** By name; or "last"; or by position, from 1. Errors: UsageError naming the columns. */
export function findTarget({ columns }: Table, wanted: string | undefined): Column {
  const names = columns.map(({ name }) => name).join(", ");
  if (wanted === undefined) throw new UsageError(`expected --target COLUMN, received none. Columns: ${names}.`);
  const position = wanted === "last" ? columns.length : /^\d+$/.test(wanted) ? Number(wanted) : 0;
  const found = columns.find(({ name }) => name === wanted) ?? columns[position - 1];
  if (found) return found;
  throw new UsageError(`expected --target to be a column, received "${wanted}". Columns: ${names}.`);
}

/** Errors: UsageError where the target cannot be what was asked for. */
export function findTask(target: Column, asked: "classification" | "regression" | undefined): Task {
  const distinct = new Set<unknown>(present(target));
  if (asked === "regression" && target.type === "text") {
    throw new UsageError(`expected a target of numbers for --task regression, "${target.name}" is text.`);
  }
  if (distinct.size < 2) {
    throw new UsageError(`expected a target with at least 2 values, "${target.name}" has ${distinct.size}.`);
  }
  const few = target.type === "text" || distinct.size === 2 || areClasses(distinct as Set<number>);
  if (asked ? asked === "regression" : !few) return "regression";
  return distinct.size === 2 ? "binary" : "multi-class";
}

function areClasses(values: ReadonlySet<number>): boolean {
  const lowest = Math.min(...values);
  return (
    values.size <= FEW_CLASSES && (lowest === 0 || lowest === 1) && Math.max(...values) === lowest + values.size - 1
  );
}

/** Whether an input is worth having, and as what. */
export function chooseColumns(
  { columns, rows }: Table,
  target: string,
  task: Task,
  {
    ignore = [],
    categories = [],
  }: { ignore?: readonly string[] | undefined; categories?: readonly string[] | undefined },
): ColumnChoice[] {
  for (const name of [...ignore, ...categories]) {
    if (!columns.some((column) => column.name === name))
      throw new UsageError(`expected a column "${name}", found none.`);
  }
  return columns.map((column) => {
    const { name, type } = column;
    const values = present(column);
    const missing = rows - values.length;
    const distinct = new Set<unknown>(values);
    const choice = (role: ColumnChoice["role"], detail: string) => ({ name, role, missing, detail });
    if (name === target) return choice("target", describeTarget(column, task));
    if (ignore.includes(name)) return choice("left out", "as asked");
    if (distinct.size === 0) return choice("left out", "empty");
    if (distinct.size === 1) return choice("left out", `always ${[...distinct][0]}`);
    if (type === "number" && !categories.includes(name)) return choice("number", describeNumbers(values as number[]));
    if (!categories.includes(name) && distinct.size > MANY_CATEGORIES && distinct.size > rows / 2) {
      const categories = `${plural(distinct.size, "category", "categories")}, nearly one a row`;
      return choice("left out", `${categories}${describeOdd(values as string[])}`);
    }
    return choice("category", list(classesOf(values)));
  });
}

function present({ type, values }: Column): (number | string)[] {
  const all: ArrayLike<number | string | null> = values;
  return Array.from(all).filter((value): value is number | string =>
    type === "number" ? !Number.isNaN(value) : value !== null,
  );
}

function describeTarget(column: Column, task: Task): string {
  return task === "regression" ? describeNumbers(present(column) as number[]) : list(classesOf(present(column)));
}

function describeNumbers(values: readonly number[]): string {
  const [low, high] = values.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return `${low} to ${high}`;
}

/** What keeps text that looks like numbers from being read as such. */
function describeOdd(values: readonly string[]): string {
  const strange = values.filter((value) => !/^[-+]?[\d.,]*\d(e[-+]?\d+)?$/i.test(value));
  if (strange.length > values.length / 2) return "";
  const odd = strange[0] ?? values.find((value) => !Number.isFinite(Number(value)));
  return odd === undefined ? "" : `: ${list([odd])} is no number (--missing, --decimal)`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 6).map((name) => (name.length > 20 ? `${name.slice(0, 19)}…` : name));
  return names.length > 6 ? `${shown.join(", ")} and ${names.length - 6} more` : shown.join(", ");
}

export function drawColumns(choices: readonly ColumnChoice[]): string {
  const rows = choices.map(({ name, role, missing, detail }) => [
    name,
    role,
    missing === 0 ? "" : String(missing),
    detail,
  ]);
  return layTable([["column", "taken as", "missing", "values"], ...rows], [0, 1, 3]);
}
