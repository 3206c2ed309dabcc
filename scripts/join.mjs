// @ts-check
// Joins the chunks that entries share into two files, as a runtime takes about a millisecond for each file that it loads.
// Two and not one, as small entries must stay small.
import { basename } from "node:path";
import { bundle } from "./steps/bundle.mjs";

/** @typedef {import("esbuild").BuildOptions} BuildOptions */
/** @typedef {import("esbuild").BuildResult<{ write: false, metafile: true }>} BuildResult */

const IMPORT_FOR_EFFECTS = /\bimport\s*"[^"]+";\n?/g;
const IMPORT_OF_NAMES = /\bimport\s*\{([^}]*)\}\s*from\s*"\.\/([\w-]+\.js)"/g;
const STATEMENT = /^import\s*\{([^}]*)\}\s*from\s*("[^"]+");\n/gm;

/** Texts by file name: the entries, shared.js with the chunks that a small entry reaches, and training.js with all
 *  others; an entry that is whole holds these itself, for who loads no other. Nothing in them has effects when it is
 *  loaded, so what is imported for its effects alone need not be loaded.
 *  @param {BuildResult} result of a build that splits @param {BuildOptions} options of that build
 *  @param {{ isSmall: (entry: string) => boolean, isWhole: (entry: string) => boolean }} kinds by an entry's file name */
export async function joinChunks({ outputFiles, metafile }, options, { isSmall, isWhole }) {
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text.replaceAll(IMPORT_FOR_EFFECTS, "")]));
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const entries = [...outputs.keys()].filter((name) => outputs.get(name)?.entryPoint);
  const chunks = [...outputs.keys()].filter((name) => !outputs.get(name)?.entryPoint);
  const shared = new Set(entries.filter(isSmall));
  // A set's iteration goes on to what is added meanwhile.
  for (const name of shared) for (const chunk of importsOf(texts.get(name))) shared.add(chunk);
  /** @param {string} chunk */
  const home = (chunk) => (shared.has(chunk) ? "shared.js" : "training.js");

  /** Chunks may use the same names: in the joined files all have their own, short as they cost parsing.
   *  @param {string} chunk @param {string} name */
  const unique = (chunk, name) => {
    const key = `${chunk} ${name}`;
    return `_${(ids.has(key) ? ids : ids.set(key, ids.size)).get(key)?.toString(36)}`;
  };
  /** @type {Map<string, number>} */
  const ids = new Map();
  /** @param {string} text */
  const renamed = (text) =>
    text.replaceAll(IMPORT_OF_NAMES, (all, names, chunk) => {
      if (!chunks.includes(chunk)) return all;
      const unified = names.replaceAll(
        /([\w$]+)(\s+as\s+[\w$]+)?/g,
        (/** @type {string} */ _, /** @type {string} */ name, as = ` as ${name}`) => unique(chunk, name) + as,
      );
      return `import {${unified}} from "./${home(chunk)}"`;
    });
  /** What `contents` takes of the chunks that are at home in `name` goes into the same file.
   *  @param {string} name @param {string} [contents] */
  const join = async (name, contents) => {
    const own = chunks.filter((chunk) => home(chunk) === name);
    const plugins = [fromMemory(texts, new Set(own))];
    const stdin = { contents: contents ?? own.map(exportsOf).join("") };
    const { outputFiles } = await bundle({ ...options, stdin, splitting: false, plugins });
    return gathered(renamed(outputFiles[0].text));
  };
  /** @param {string} chunk */
  const exportsOf = (chunk) => {
    const names = outputs.get(chunk)?.exports ?? [];
    return `export { ${names.map((name) => `${name} as ${unique(chunk, name)}`).join(", ")} } from "./${chunk}";\n`;
  };
  const files = new Map([["shared.js", await join("shared.js")]]);
  files.set("training.js", await join("training.js"));
  for (const name of entries) {
    const text = texts.get(name) ?? "";
    files.set(name, isWhole(name) ? await join("training.js", text) : gathered(renamed(text)));
  }
  return files;
}

/** One import of each file, before all else. @param {string} text */
function gathered(text) {
  /** @type {Map<string, string[]>} */
  const imports = new Map();
  const rest = text.replaceAll(STATEMENT, (_, names, file) => {
    imports.set(file, [...(imports.get(file) ?? []), names.trim()]);
    return "";
  });
  return [...imports].map(([file, names]) => `import { ${names.join(", ")} } from ${file};\n`).join("") + rest;
}

/** @param {string} [text] */
function importsOf(text = "") {
  return [...text.matchAll(IMPORT_OF_NAMES)].map(([, , chunk]) => chunk);
}

/** @param {Map<string, string>} texts @param {ReadonlySet<string>} own what goes into this file
 *  @returns {import("esbuild").Plugin} */
function fromMemory(texts, own) {
  return {
    name: "from-memory",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/[\w-]+\.js$/ }, ({ path }) => {
        const name = basename(path);
        return own.has(name) ? { path: name, namespace: "memory" } : { path, external: true };
      });
      onLoad({ filter: /.*/, namespace: "memory" }, ({ path }) => ({ contents: texts.get(path) }));
    },
  };
}
