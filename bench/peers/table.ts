// The table of the last published results: printed, or with --write put between README's markers.
import { readFileSync, writeFileSync } from "node:fs";
import { markdown } from "./markdown.ts";

const START = "<!-- peers:start -->";
const END = "<!-- peers:end -->";

const table = markdown(JSON.parse(readFileSync("bench/results/peers.json", "utf8")));
const readme = readFileSync("README.md", "utf8");
const start = readme.indexOf(START);
const end = readme.indexOf(END);

if (!process.argv.includes("--write")) {
  console.log(table);
} else if (start < 0 || end < start) {
  console.error(`README.md has no ${START} and then ${END}: left as it is.`);
} else {
  const text = `${START}\n![Rates beside the limits of one core and two](bench/results/peers.svg)\n\n${table}\n${END}`;
  writeFileSync("README.md", `${readme.slice(0, start)}${text}${readme.slice(end + END.length)}`);
}
