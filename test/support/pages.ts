// The programs in the pages of docs/: cut out of the Markdown, with what they say that they print and throw.
// CONTRIBUTING.md tells the rules.
import { transformSync } from "esbuild";

/** The js and ts blocks of a page that belong together, from a fence without `continued` to the next one. */
export interface Program {
  /** Of its first block in the page, from 1. */
  readonly line: number;
  /** Each line stands where it stands in the page, so that errors name the page's lines. */
  readonly source: string;
  /** ts where one of its blocks is. */
  readonly language: "js" | "ts";
  /** What it prints, as the page shows it: a line each, "..." for anything. */
  readonly shown: readonly string[];
  /** Why it does not run here; it is checked for types all the same. */
  readonly notRun: string | undefined;
}

/** A command of a console block, and what it prints. */
export interface Command {
  readonly line: number;
  readonly command: string;
  readonly shown: readonly string[];
}

interface Block {
  readonly line: number;
  readonly language: string;
  readonly info: string;
  readonly lines: readonly string[];
}

const THROWS = /^\s*(.*?);? *\/\/ throws ([A-Z]+): (.*)$/;

/** Errors: Error for an info string that is none of those known. */
export function programsOf(page: string): Program[] {
  const programs: Block[][] = [];
  for (const block of blocksOf(page, ["js", "ts"])) {
    if (block.info === "continued" && programs.length > 0) programs[programs.length - 1].push(block);
    else programs.push([block]);
  }
  return programs.map(programOf);
}

function programOf(blocks: readonly Block[]): Program {
  const [{ line, info }] = blocks;
  const notRun = /^not run: (.+)$/.exec(info)?.[1];
  if (info !== "" && !notRun) throw new Error(`line ${line}: unknown info "${info}"`);
  const lines: string[] = [];
  for (const block of blocks) {
    while (lines.length + 1 < block.line) lines.push("");
    lines.push(...block.lines);
  }
  const language = blocks.some((block) => block.language === "ts") ? "ts" : "js";
  return { line, source: lines.join("\n"), language, shown: notRun ? [] : shownBy(lines), notRun };
}

/** Lines that begin with "$ ", each with what follows it. */
export function commandsOf(page: string): Command[] {
  const commands: { line: number; command: string; shown: string[] }[] = [];
  for (const { line, lines } of blocksOf(page, ["console"])) {
    lines.forEach((text, i) => {
      if (text.startsWith("$ ")) commands.push({ line: line + i, command: text.slice(2), shown: [] });
      else commands[commands.length - 1].shown.push(text);
    });
  }
  return commands;
}

function blocksOf(page: string, languages: readonly string[]): Block[] {
  const blocks: Block[] = [];
  const lines = page.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const [, language, info] = /^```(\w*) *(.*)$/.exec(lines[i]) ?? [];
    if (language === undefined) continue;
    const start = i + 1;
    do i++;
    while (i < lines.length && lines[i] !== "```");
    if (languages.includes(language)) blocks.push({ line: start + 1, language, info, lines: lines.slice(start, i) });
  }
  return blocks;
}

function shownBy(lines: readonly string[]): string[] {
  return lines.flatMap((line, i) => {
    const output = /\/\/ ->(.*)$/.exec(line);
    return output ? withFollowing(output[1].replace(/^ /, ""), lines, i) : [];
  });
}

/** A comment goes on in the lines after it that begin with "//" and four spaces or more. */
function withFollowing(first: string, lines: readonly string[], i: number): string[] {
  const found = first === "" ? [] : [first];
  for (const line of lines.slice(i + 1)) {
    const more = /^\s*\/\/ {4}(.*)$/.exec(line);
    if (!more) break;
    found.push(more[1]);
  }
  return found;
}

/** JavaScript that runs: statements that are said to throw are wrapped into a check. */
export function toJavaScript({ source }: Program, name: string): string {
  const checked = source.split("\n").map((line, i, lines) => {
    const [, statement, code, message] = THROWS.exec(line) ?? [];
    if (statement === undefined) return line;
    const expected = `${code}: ${withFollowing(message, lines, i).join(" ")}`;
    return `await expectThrow(async () => { ${statement}; }, ${JSON.stringify(expected)});`;
  });
  const options = { format: "esm", target: "node20", sourcefile: name, sourcemap: "inline" } as const;
  return transformSync(checked.join("\n"), { loader: "ts", ...options }).code;
}

/** For the checker of types: without the statements that throw, some for their types. */
export function toChecked({ source }: Program): string {
  const lines = source.split("\n").map((line) => (THROWS.test(line) ? "" : line));
  return `${lines.join("\n")}\nexport {};\n`;
}

/** Whether what was printed is what the page shows; "..." is any text within a line, or any lines. */
export function isShown(printed: readonly string[], shown: readonly string[]): boolean {
  const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = shown.map((line) =>
    line.trim() === "..." ? "(?:.*\\n)*" : `${line.trimEnd().split("...").map(literally).join(".*")}\\n`,
  );
  return new RegExp(`^${pattern.join("")}$`).test(printed.map((line) => `${line.trimEnd()}\n`).join(""));
}
