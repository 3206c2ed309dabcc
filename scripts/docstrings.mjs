// @ts-check
// A plugin of TypeDoc: the parts of our docstrings (Shapes, Units, Errors, Source) become paragraphs of their own, and the
// first entry has the package's name.

/** @param {any} app TypeDoc's application */
export function load(app) {
  app.converter.on("resolveBegin", (/** @type {any} */ { project }) => {
    for (const entry of project.children) if (entry.name === "index") entry.name = project.name;
    for (const reflection of Object.values(project.reflections)) {
      for (const part of reflection.comment?.summary ?? []) part.text = inLines(part.text);
    }
  });
}

/** @param {string} text */
function inLines(text) {
  return text.replace(
    /(^|\s)(Shapes|Units|Errors?|Source): /g,
    (_, before, name) => `${before && "\n\n"}**${name}**: `,
  );
}
