// The pages of docs/: every program in them is checked for types, runs, and prints and throws what the page shows.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  type Command,
  commandsOf,
  isShown,
  type Program,
  programsOf,
  toChecked,
  toJavaScript,
} from "./support/pages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DOCS = join(ROOT, "docs");
/** Within the package, so that programs import it by its name. */
const OUT = join(ROOT, "build/docs-test");

const names = readdirSync(DOCS).filter((name) => name.endsWith(".md"));
const pages = names.map((name) => {
  const text = readFileSync(join(DOCS, name), "utf8");
  return { name, text, programs: programsOf(text), commands: commandsOf(text) };
});

rmSync(OUT, { recursive: true, force: true });

/** What it prints, and how it ends if it fails. */
function runCommand({ command }: Command, folder: string): string[] {
  const cli = `simdgrad() { ${JSON.stringify(process.execPath)} ${JSON.stringify(join(ROOT, "dist/cli.js"))} "$@"; }`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", `${cli}; ${command}`], { cwd: folder, encoding: "utf8" });
  if (status === 0) return stdout.split("\n").slice(0, -1);
  return [...stderr.trimEnd().split("\n"), `(exit code ${status})`];
}

/** What each one prints. */
function runPrograms(programs: readonly Program[], page: string, folder: string): string[][] {
  const files = programs.map((program) => {
    const file = join(folder, `line-${program.line}.mjs`);
    writeFileSync(file, toJavaScript(program, page));
    return file;
  });
  const args = ["--enable-source-maps", join(ROOT, "test/support/page-runner.mjs"), ...files];
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(run.status, run.stderr).toBe(0);
  return JSON.parse(run.stdout);
}

function expectShown(where: string, printed: readonly string[], shown: readonly string[]): void {
  if (isShown(printed, shown)) return;
  // Never equal: the difference is what a reader of the failure needs.
  expect(printed, where).toEqual(shown);
  throw new Error(`${where}: "..." stands for something else`);
}

describe("the pages", () => {
  for (const { name, programs, commands } of pages) {
    const running = programs.filter(({ notRun }) => !notRun);
    if (running.length + commands.length === 0) continue;
    it(`${name}: its programs do what it shows`, () => {
      const folder = join(OUT, name);
      mkdirSync(folder, { recursive: true });
      // What readers find beside them.
      cpSync(join(ROOT, "data"), join(folder, "data"), { recursive: true });
      for (const command of commands)
        expectShown(`${name}:${command.line}`, runCommand(command, folder), command.shown);
      const printed = runPrograms(running, name, folder);
      running.forEach(({ line, shown }, i) => {
        expectShown(`${name}:${line}`, printed[i], shown);
      });
    });
  }

  it("have no type errors, also where they do not run", () => {
    const folder = join(OUT, "types");
    mkdirSync(folder, { recursive: true });
    for (const { name, programs } of pages) {
      for (const program of programs) {
        writeFileSync(join(folder, `${name}-line-${program.line}.${program.language}`), toChecked(program));
      }
    }
    // Plain JavaScript says no types, and catches anything.
    const compilerOptions = { checkJs: true, noImplicitAny: false, useUnknownInCatchVariables: false };
    const config = { extends: "../../../tsconfig.json", compilerOptions, include: ["*"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
    expect(status, stdout).toBe(0);
  });

  it("link to files that are there, and the index to every page", () => {
    for (const { name, text } of pages) {
      for (const [, target] of text.matchAll(/\]\(((?!https?:)[^)#]+)[^)]*\)/g)) {
        expect(existsSync(resolve(DOCS, target)), `${name} links to ${target}`).toBe(true);
      }
    }
    const index = readFileSync(join(DOCS, "README.md"), "utf8");
    for (const name of names) if (name !== "README.md") expect(index).toContain(`](${name})`);
  });

  it("name every function that the package exports", () => {
    const text = pages.map((page) => page.text).join("\n");
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    // What workers run is no entry.
    const entries = Object.keys(exports).filter((path) => !/\.(json|wasm)$|lane$/.test(path));
    const script = `const entries = ${JSON.stringify(entries.map((path) => path.replace(".", "simdgrad")))};
      for (const entry of entries) console.log(Object.keys(await import(entry)).join("\\n"));`;
    const run = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: ROOT, encoding: "utf8" });
    const exported = [...new Set(run.trim().split("\n"))];
    expect(exported).toContain("sequential");
    expect(exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });
});

describe("docstrings", () => {
  // As `npm run docs` asks for, in milliseconds.
  const src = join(ROOT, "src");
  const entries = readdirSync(src).filter((name) => /^(index|infer|kernels|data|node)\b.*\.ts$/.test(name));

  for (const entry of entries) {
    it(`of all that src/${entry} exports`, () => {
      const text = readFileSync(join(src, entry), "utf8");
      const reexported = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from "(.*)";/gm)].flatMap(([, list, path]) =>
        [...list.matchAll(/(?:type )?(\w+)/g)].map(([, name]) => ({ name, path: join(src, path) })),
      );
      const own = [...text.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)];
      const exported = [...reexported, ...own.map(([, name]) => ({ name, path: join(src, entry) }))];
      expect(exported.length).toBeGreaterThan(0);
      expect(exported.filter(({ name, path }) => !hasDocstring(readFileSync(path, "utf8"), name))).toEqual([]);
    });
  }
});

function hasDocstring(source: string, name: string): boolean {
  const declared = `export (async |abstract )?(const|function\\*?|class|interface|type) ${name}\\b`;
  return new RegExp(`\\*/\\n(// biome-ignore .*\\n)?${declared}`).test(source);
}

describe("the rules for pages", () => {
  const page = (code: string) => `# Page\n\n\`\`\`js\n${code}\n\`\`\`\n`;

  it("blocks keep their lines, continued ones join", () => {
    const programs = programsOf(`${page("a")}text\n\`\`\`ts continued\nb\n\`\`\`\n\`\`\`js\nc\n\`\`\``);
    expect(programs.map(({ line, source }) => [line, source])).toEqual([
      [4, "\n\n\na\n\n\n\nb"],
      [11, `${"\n".repeat(10)}c`],
    ]);
    expect(() => programsOf("```js sometimes\n```")).toThrow("sometimes");
    expect(programsOf("```ts not run: needs a page\na // -> b\n```")[0]).toMatchObject({
      notRun: "needs a page",
      shown: [],
    });
  });

  it("commands have what follows them", () => {
    expect(commandsOf("```console\n$ a\nb\n\n$ c\n```\n```sh\nd\n```")).toEqual([
      { line: 2, command: "a", shown: ["b", ""] },
      { line: 5, command: "c", shown: [] },
    ]);
  });

  it("outputs are compared line by line", () => {
    const [{ shown }] = programsOf(page("f(); // -> 1\n//    2...\n// no output\ng(); // ->\n//    ..."));
    expect(shown).toEqual(["1", "2...", "..."]);
    expect(isShown(["1", "2.5", "x", "y"], shown)).toBe(true);
    expect(isShown(["1", "2.5"], shown)).toBe(true);
    expect(isShown(["1", "3"], shown)).toBe(false);
    expect(isShown(["1", "2"], ["1"])).toBe(false);
    expect(isShown([], ["1"])).toBe(false);
  });

  it("errors are compared by code and message", () => {
    const runner = fileURLToPath(new URL("support/page-runner.mjs", import.meta.url));
    const run = (code: string) => {
      const file = join(OUT, "rules.mjs");
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, toJavaScript(programsOf(page(code))[0], "rules.md"));
      return execFileSync(process.execPath, [runner, file], { encoding: "utf8", stdio: "pipe" });
    };
    const raise = 'function raise() { throw Object.assign(new Error("all is lost."), { code: "DATA" }); }\n';
    expect(run(`${raise}raise(); // throws DATA: all ... lost.`)).toBe("[[]]");
    expect(() => run(`${raise}raise(); // throws DATA: all ... found.`)).toThrow("all is lost");
    expect(() => run("1 + 1; // throws DATA: all")).toThrow("nothing");
  });
});
