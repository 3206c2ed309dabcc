// Who may import whom. The floors, from the ground: runtime and the concepts (layers, losses, ...) side by side, then
// plan, model and io, entries, the command. Each imports only from floors below it or within its own half, no circles.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = new URL("../src/", import.meta.url);
const ENTRIES = entryNames();

type Graph = Map<string, string[]>;

interface Place {
  half: string;
  floor: number;
}

/** Where a file of src/ lives; undefined when no floor is meant for it. */
function place(file: string): Place | undefined {
  if (/^(errors|contract|numerics|options|wasm|runtime\/abi)\.ts$/.test(file)) return { half: "leaves", floor: 0 };
  if (file === "modules.d.ts" || file.startsWith("generated/")) return { half: "generated", floor: 0 };
  if (/^((layers|losses|optimizers)\/.+|initializers\.ts|schedules\.ts|metrics\.ts)$/.test(file))
    return { half: "concepts", floor: 1 };
  if (file.startsWith("runtime/")) return { half: "runtime", floor: 1 };
  if (file.startsWith("plan/")) return { half: "plan", floor: 2 };
  if (/^(model|io)\//.test(file)) return { half: "model", floor: 3 };
  if (file.startsWith("data/")) return { half: "data", floor: 3 };
  if (ENTRIES.has(file) || /^\w+\.common\.ts$/.test(file)) return { half: "entries", floor: 4 };
  if (file.startsWith("cli/")) return { half: "cli", floor: 5 };
  return undefined;
}

function allowed(from: Place, to: Place): boolean {
  if (from.half === to.half || to.half === "leaves") return true;
  if (to.half === "generated") return ["runtime", "entries", "data", "cli"].includes(from.half);
  if (from.half === "data") return false;
  if (from.half === "cli") return to.half === "entries";
  return to.floor < from.floor;
}

/** Packages are imported by the command alone, which carries them with it; Node's own modules only where files and
 *  processes are the subject. */
function allowedOutside(file: string, specifier: string): boolean {
  if (/^[a-z]/.test(specifier) && !specifier.includes(":")) return file.startsWith("cli/");
  return specifier.startsWith("node:") && (["node.ts", "io/read-file.ts"].includes(file) || file.startsWith("cli/"));
}

function violations(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, specifiers] of graph) {
    const from = place(file);
    if (from === undefined) {
      found.push(`${file} stands on no floor`);
      continue;
    }
    for (const specifier of specifiers) {
      // A module that the runtime compiles: the file beside the built entry.
      if (from.half === "entries" && /\.wasm(\?module)?$/.test(specifier)) continue;
      const target = resolve(file, specifier);
      if (target === undefined) {
        if (!allowedOutside(file, specifier)) found.push(`${file} imports ${specifier}`);
        continue;
      }
      const to = graph.has(target) || target.startsWith("generated/") ? place(target) : undefined;
      if (to === undefined || !allowed(from, to)) found.push(`${file} imports ${target}`);
    }
  }
  return found;
}

/** The first circle of imports, as the files on it. */
function circle(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const specifier of graph.get(file) ?? []) {
      const target = resolve(file, specifier);
      const found = target === undefined ? undefined : visit(target, [...path, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = visit(file, []);
    if (found) return found;
  }
  return undefined;
}

/** Path of the imported file in src/; undefined for what is no relative path. */
function resolve(file: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : undefined;
}

function specifiersOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const pattern = /\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;
  return [...code.matchAll(pattern)].map((match) => (match[1] ?? match[2]) as string);
}

function readGraph(): Graph {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.startsWith("generated/"));
  return new Map(files.map((file) => [file, specifiersOf(readFileSync(new URL(file, SRC), "utf8"))]));
}

/** src/NAME.ts for each dist/NAME.js of package.json's exports. */
function entryNames(): Set<string> {
  const { exports } = JSON.parse(readFileSync(new URL("../package.json", SRC), "utf8")) as { exports: object };
  return new Set([...JSON.stringify(exports).matchAll(/"\.\/dist\/([^/"]+)\.js"/g)].map((match) => `${match[1]}.ts`));
}

describe("floors of src/", () => {
  const graph = readGraph();

  it("are found", () => {
    expect(graph.get("runtime/module.ts")).toEqual(["../errors.ts", "../wasm.ts"]);
    expect(ENTRIES).toContain("kernels.ts");
  });

  it("import downwards only", () => {
    expect(violations(graph)).toEqual([]);
  });

  it("have no circles", () => {
    expect(circle(graph)).toBeUndefined();
  });
});

describe("the check of the floors", () => {
  it.each([
    ["layers/dense.ts", "../runtime/instance.ts"],
    ["runtime/instance.ts", "../layers/dense.ts"],
    ["errors.ts", "./options.ts", "./initializers.ts"],
    ["plan/compile.ts", "../model/model.ts"],
    ["plan/compile.ts", "../generated/strict.ts"],
    ["cli/main.ts", "../model/model.ts"],
    ["model/model.ts", "../kernels.ts"],
    ["model/model.ts", "../data/csv.ts"],
    ["data/csv.ts", "../model/data.ts"],
    ["model/model.ts", "tinybench"],
    ["runtime/instance.ts", "node:fs"],
    ["helpers.ts"],
  ])("rejects %s importing %s", (file, ...specifiers) => {
    const graph: Graph = new Map([[file, specifiers]]);
    for (const specifier of specifiers) graph.set(resolve(file, specifier) ?? "kernels.ts", []);
    expect(violations(graph)).toHaveLength(1);
  });

  it("sees circles, also through types and re-exports", () => {
    const sources = {
      "plan/a.ts": 'import type { B } from "./b.ts";',
      "plan/b.ts": 'export {\n  C,\n} from "./c.ts";',
      "plan/c.ts": 'const a = await import("./a.ts");',
      "plan/d.ts": '// import "./d.ts";',
    };
    const graph: Graph = new Map(Object.entries(sources).map(([file, source]) => [file, specifiersOf(source)]));
    expect(violations(graph)).toEqual([]);
    expect(circle(graph)).toEqual(["plan/a.ts", "plan/b.ts", "plan/c.ts", "plan/a.ts"]);
    graph.set("plan/c.ts", []);
    expect(circle(graph)).toBeUndefined();
  });
});
