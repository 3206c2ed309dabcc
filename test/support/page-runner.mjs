// @ts-check
// Runs the programs of one page of docs/, one after the other, in this process. Arguments: their files; prints JSON, what
// each one printed.
import { pathToFileURL } from "node:url";
import { format } from "node:util";

/** @type {string[]} */
let printed = [];
console.log = (...args) => {
  printed.push(...format(...args).split("\n"));
};

/** @param {() => Promise<unknown>} act @param {string} expected code and message, "..." for anything */
async function expectThrow(act, expected) {
  /** @type {unknown} */
  let thrown;
  try {
    await act();
  } catch (error) {
    thrown = error;
  }
  const { code, message } = /** @type {Error & { code?: string }} */ (thrown ?? {});
  const received = `${code}: ${message}`;
  const parts = expected.split("...").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (new RegExp(`^${parts.join(".*")}$`).test(received)) return;
  throw new Error(`expected to throw\n  ${expected}\nreceived\n  ${thrown ? received : "nothing"}`, { cause: thrown });
}
Object.assign(globalThis, { expectThrow });

const results = [];
for (const file of process.argv.slice(2)) {
  printed = [];
  await import(pathToFileURL(file).href);
  results.push(printed);
}
process.stdout.write(JSON.stringify(results));
