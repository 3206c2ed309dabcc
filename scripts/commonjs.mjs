// @ts-check
// Minified modules as CommonJS, file by file: require then loads the same parts as import does, and no more.

const IMPORT = /^\s*import\s*\{([^}]*)\}\s*from\s*("[^"]+")\s*;/;
/** Licences follow. */
const EXPORT = /export\s*\{([^{}]*)\};?(\s*(?:\/\*[\s\S]*\*\/)?\s*)$/;

/** The same module for require. It imports names at its beginning and exports names at its end, as esbuild and terser
 *  write modules; none of them is assigned to later. @param {string} code */
export function toCommonJs(code) {
  let imports = "";
  let rest = code;
  for (let found = IMPORT.exec(rest); found; found = IMPORT.exec(rest)) {
    imports += `var{${found[1].replaceAll(/\s+as\s+/g, ":")}}=require(${found[2]});`;
    rest = rest.slice(found[0].length);
  }
  const found = EXPORT.exec(rest);
  if (!found) throw new Error("Expected a module that ends with what it exports.");
  const exports = found[1].replaceAll(/([\w$]+)(?:\s+as\s+([\w$]+))?/g, (_, own, name = own) => `${name}:${own}`);
  return `"use strict";${imports}${rest.slice(0, found.index)}module.exports={${exports}};${found[2]}\n`;
}
