// README's benchmark table from bench/results/latest.json: printed, or with --write put between README's markers.
import { readFileSync, writeFileSync } from "node:fs";
import { markdown } from "./markdown.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

const table = markdown(JSON.parse(readFileSync("bench/results/latest.json", "utf8")));

if (process.argv.includes("--write")) {
  const readme = readFileSync("README.md", "utf8");
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error(`Expected ${START} and then ${END} in README.md.`);
  writeFileSync("README.md", `${readme.slice(0, start + START.length)}\n${table}\n${readme.slice(end)}`);
} else {
  console.log(table);
}
