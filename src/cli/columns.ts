// What a table's columns are taken for: inputs, the target, or nothing; shown before anything is trained.
import { type Column, classesOf, type Table } from "../data.ts";
import { show } from "../errors.ts";
import { forShell, UsageError } from "./errors.ts";
import type { Task } from "./settings.ts";
import { cut, layTable, listed, plural } from "./terminal.ts";
import { checkText, oddIn } from "./why-text.ts";

export interface ColumnChoice {
  readonly name: string;
  readonly role: "number" | "category" | "target" | "weight" | "left out";
  readonly missing: number;
  readonly detail: string;
}

/** More categories than that, in more than half of the rows, are names of the rows. */
const MANY_CATEGORIES = 20;
/** More names than that are no help in a message. */
const MANY_NAMES = 50;
/** A whole number with no more values than that, counted from 0 or 1, is a class. */
const FEW_CLASSES = 10;

/** By name; or "last"; or by position, from 1. Errors: UsageError naming the columns. */
export function findTarget({ columns }: Table, wanted: string | undefined): Column {
  const names = listed(
    columns.map(({ name }) => name),
    MANY_NAMES,
  );
  if (wanted === undefined) throw new UsageError(`expected --target COLUMN, received none. Columns: ${names}.`);
  const position = wanted === "last" ? columns.length : /^\d+$/.test(wanted) ? Number(wanted) : 0;
  const found = columns.find(({ name }) => name === wanted) ?? columns[position - 1];
  if (found) return found;
  throw new UsageError(`expected --target to be a column, received ${show(wanted)}. Columns: ${names}.`);
}

/** Errors: UsageError where the target cannot be what was asked for; DATA where it is text that looks like numbers. */
export function findTask(table: Table, target: Column, asked: "classification" | "regression" | undefined): Task {
  if (asked !== "classification") checkText(table, target.name, "--task classification takes all for classes");
  const distinct = new Set<unknown>(present(target));
  if (asked === "regression" && target.type === "text") {
    const odd = oddIn(table, target.name);
    throw new UsageError(`expected a target of numbers for --task regression, ${show(target.name)} is text${odd}.`);
  }
  if (distinct.size < 2) {
    throw new UsageError(`expected a target with at least 2 values, ${show(target.name)} has ${distinct.size}.`);
  }
  const few = target.type === "text" || distinct.size === 2 || areClasses(distinct as Set<number>);
  if (asked ? asked === "regression" : !few) return "regression";
  return distinct.size === 2 ? "binary" : "multi-class";
}

function areClasses(values: ReadonlySet<number>): boolean {
  if (values.size > FEW_CLASSES) return false;
  const lowest = Math.min(...values);
  return (lowest === 0 || lowest === 1) && Math.max(...values) === lowest + values.size - 1;
}

interface Wishes {
  readonly ignore?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly sampleWeight?: string | undefined;
}

/** Whether an input is worth having, and as what. Errors: UsageError for wishes that cannot be; DATA for text that looks
 *  like numbers. */
export function chooseColumns(table: Table, target: string, task: Task, wishes: Wishes): ColumnChoice[] {
  const { columns, rows } = table;
  const { ignore = [], categories = [], sampleWeight } = wishes;
  checkWishes(table, target, wishes);
  return columns.map((column) => {
    const { name, type } = column;
    const values = present(column);
    const missing = rows - values.length;
    const distinct = new Set<unknown>(values);
    const choice = (role: ColumnChoice["role"], detail: string) => ({ name, role, missing, detail });
    if (name === target) return choice("target", describeTarget(column, task));
    if (name === sampleWeight) return choice("weight", describeNumbers(values as number[]));
    if (ignore.includes(name)) return choice("left out", "as asked");
    if (distinct.size === 0) return choice("left out", "empty");
    if (distinct.size === 1) return choice("left out", `always ${listed([String([...distinct][0])])}`);
    if (type === "number" && !categories.includes(name)) return choice("number", describeNumbers(values as number[]));
    if (categories.includes(name)) return choice("category", listed(classesOf(values)));
    const asked = `--categories ${forShell(name)} takes all for categories, --ignore leaves the column out`;
    const odd = checkText(table, name, asked);
    if (distinct.size > MANY_CATEGORIES && distinct.size > rows / 2) {
      return choice("left out", `${plural(distinct.size, "category", "categories")}, nearly one a row${odd}`);
    }
    return choice("category", `${listed(classesOf(values))}${odd}`);
  });
}

function checkWishes(table: Table, target: string, wishes: Wishes): void {
  const { ignore = [], categories = [], sampleWeight } = wishes;
  const named = { ignore, categories, "sample-weight": sampleWeight === undefined ? [] : [sampleWeight] };
  for (const [option, names] of Object.entries(named)) {
    for (const name of names) {
      const found = table.columns.find((column) => column.name === name);
      if (!found) throw new UsageError(`expected --${option} to name a column, found no ${show(name)}.`);
      if (name === target) throw new UsageError(`expected --${option} to name no target, received ${show(name)}.`);
      if (name === sampleWeight && found.type === "text") {
        throw new UsageError(
          `expected --sample-weight to be a column of numbers, ${show(name)} is text${oddIn(table, name)}.`,
        );
      }
    }
  }
}

function present({ type, values }: Column): (number | string)[] {
  const all: ArrayLike<number | string | null> = values;
  return Array.from(all).filter((value): value is number | string =>
    type === "number" ? !Number.isNaN(value) : value !== null,
  );
}

function describeTarget(column: Column, task: Task): string {
  return task === "regression" ? describeNumbers(present(column) as number[]) : listed(classesOf(present(column)));
}

function describeNumbers(values: readonly number[]): string {
  const [low, high] = values.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return `${low} to ${high}`;
}

export function drawColumns(choices: readonly ColumnChoice[]): string {
  const rows = choices.map(({ name, role, missing, detail }) => [
    cut(name, 40),
    role,
    missing === 0 ? "" : String(missing),
    detail,
  ]);
  return layTable([["column", "taken as", "missing", "values"], ...rows], [0, 1, 3]);
}
