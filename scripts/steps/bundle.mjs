// @ts-check
// esbuild, as every step uses it. It is loaded by the first step that has something to do.

/** The outputs stay in memory. @param {import("esbuild").BuildOptions} options */
export async function bundle(options) {
  const { build } = await import("esbuild");
  return build({ bundle: true, logLevel: "warning", ...options, metafile: true, write: false });
}

/** Node prints the line that threw above an error's message, and a pipe may end before a long one does. */
export const LINE_LENGTH = 400;
