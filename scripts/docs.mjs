// @ts-check
// `npm run docs`: the reference of everything exported, from the docstrings, as Markdown in build/docs. What has no
// docstring fails it. TypeDoc wants a TypeScript of its own: all three are installed into .cache/docs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, ".cache/docs");
const OUT = join(ROOT, "build/docs");
const TOOLS = ["typedoc@0.28.20", "typedoc-plugin-markdown@4.14.1", "typescript@6.0.3"];

/** Types within the types of others, of no use by themselves. */
const HELPERS = ["NAMES", "Checked", "CustomKind", "Global", "Monitor", "Rows"];

/** A ReadableStream as far as it is used. */
const STREAM = ["", ".__type.read", ".__type.cancel"].map((part) => `data.CsvSource.__type.getReader${part}`);

install();
process.exitCode = run();

function install() {
  const stamp = join(CACHE, "installed.txt");
  const wanted = TOOLS.join(" ");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.log(`npm install ${wanted}`);
  rmSync(CACHE, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(join(CACHE, "package.json"), '{ "private": true }\n');
  const options = ["--ignore-scripts", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", ["install", ...TOOLS, ...options], {
    cwd: CACHE,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error("npm install failed.");
  writeFileSync(stamp, wanted);
}

function run() {
  const options = {
    entryPoints: entries().map((name) => join(ROOT, `src/${name}.ts`)),
    tsconfig: join(ROOT, "tsconfig.json"),
    plugin: [join(CACHE, "node_modules/typedoc-plugin-markdown/dist/index.js"), join(ROOT, "scripts/docstrings.mjs")],
    out: OUT,
    name: "simdgrad",
    readme: "none",
    disableSources: true,
    excludeInternal: true,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    // Properties and methods of plain types may speak for themselves.
    requiredToBeDocumented: ["Variable", "Function", "Class", "Interface", "Accessor", "TypeAlias"],
    intentionallyNotExported: HELPERS,
    intentionallyNotDocumented: STREAM,
    treatValidationWarningsAsErrors: true,
    hidePageHeader: true,
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeDeclarationFormat: "table",
  };
  const file = join(CACHE, "typedoc.json");
  writeFileSync(file, JSON.stringify(options));
  rmSync(OUT, { recursive: true, force: true });
  const typedoc = join(CACHE, "node_modules/typedoc/bin/typedoc");
  return spawnSync(process.execPath, [typedoc, "--options", file], { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

/** Files of src that are entries: index, data, ... */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const names = Object.keys(exports).map((path) => (path === "." ? "index" : path.slice(2)));
  return names.filter((name) => existsSync(join(ROOT, `src/${name}.ts`)));
}
