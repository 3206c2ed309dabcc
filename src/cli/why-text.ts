// Text where numbers are expected: what to do about it on a command line.
import { type Table, type WhyText, whyText } from "../data.ts";
import { show } from "../errors.ts";
import { SimdgradError } from "../index.ts";
import { forShell } from "./errors.ts";

/** As oddIn. Errors: DATA for a column of text that looks like numbers; `asked`: the option that takes it as it is. */
export function checkText(table: Table, name: string, asked: string): string {
  const why = whyText(table, name);
  if (why?.likely) throw new SimdgradError("DATA", `${why.message}.`, `${remedyOf(why, name)}; ${asked}.`);
  return describeOdd(why);
}

function remedyOf({ kind, cell, examples }: WhyText, name: string): string {
  const comma = "--decimal , reads commas before fractions";
  const listed = examples.filter((example) => !example.includes(","));
  const missing =
    listed.length > 0
      ? `--missing ${forShell(listed.join(","))} takes such cells for missing`
      : "Mend such cells, or leave them empty";
  return {
    text: cell === name ? "The header stands there again: take such rows out" : missing,
    signs: "Write numbers without currencies, shares and signs between thousands",
    decimal: comma,
    thousands: `Write numbers without signs between thousands, or ${comma}`,
    number: "Another row has text there",
  }[kind];
}

/** What keeps text from being numbers, where more than half of it are: the end of a sentence, or nothing. */
export function oddIn(table: Table, name: string): string {
  return describeOdd(whyText(table, name));
}

function describeOdd(why: WhyText | undefined): string {
  return why && why.numbers > why.cells / 2 ? `: ${show(why.cell)} at row ${why.row} is no number` : "";
}
