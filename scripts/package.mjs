// @ts-check
// What users get: packs the package, installs it into an empty project in build/consumer, and looks at it from there.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { posix, resolve } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const CONSUMER = "build/consumer";
/** Units: bytes. */
const UNPACKED_LIMIT = 1_100_000;
const SCRIPTS_OF_USERS = ["preinstall", "install", "postinstall", "prepare"];

/** What is wrong with it, one a line. */
export async function checkPackage() {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const entries = Object.keys(manifest.exports)
    .filter((path) => !/\.(json|wasm)$/.test(path))
    .map((path) => path.replace(".", manifest.name));
  return [
    ...checkManifest(manifest),
    ...installPacked(),
    ...(await lint()),
    ...checkImports(entries),
    ...checkUncaught("main.mjs", 'import { dense } from "simdgrad"'),
    ...checkUncaught("main.cjs", 'const { dense } = require("simdgrad")'),
    ...checkCommand(),
    ...checkTypes(entries, "nodenext", "nodenext", ["dom"]),
    ...checkTypes(entries, "nodenext", "nodenext", []),
    ...checkTypes(entries, "esnext", "bundler", ["dom"]),
  ].join("\n");
}

/** @param {Record<string, object | undefined>} manifest */
function checkManifest({ scripts = {}, dependencies = {} }) {
  return [
    ...Object.keys(dependencies).map((name) => `package.json: a runtime dependency, ${name}`),
    ...SCRIPTS_OF_USERS.filter((name) => name in scripts).map(
      (name) => `package.json: a script that users run, ${name}`,
    ),
  ];
}

/** Says which packed files nobody asked for, and whether they are too much. */
function installPacked() {
  rmSync(CONSUMER, { recursive: true, force: true });
  mkdirSync(CONSUMER, { recursive: true });
  writeFileSync(`${CONSUMER}/package.json`, '{ "type": "module", "private": true }\n');
  const [{ filename, files, unpackedSize }] = JSON.parse(
    npm("pack", "--json", "--ignore-scripts", "--pack-destination", CONSUMER),
  );
  npm(
    "install",
    resolve(CONSUMER, filename),
    "--prefix",
    CONSUMER,
    "--offline",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
  );
  console.log(`     the tarball unpacks to ${unpackedSize} bytes in ${files.length} files`);
  const strangers = /** @type {{ path: string }[]} */ (files)
    .filter(
      ({ path }) =>
        !/^(dist\/.+\.(js|d\.ts|wasm)|dist\/cjs\/package\.json|dist\/LICENSES\.txt|docs\/.+\.md|bench\/results\/peers\.svg|(README|CHANGELOG)\.md|LICENSE|package\.json)$/.test(
          path,
        ),
    )
    .map(({ path }) => `packed, but no part of the package: ${path}`);
  const wrong = [...strangers, ...brokenLinks(files.map((/** @type {{ path: string }} */ { path }) => path))];
  if (unpackedSize <= UNPACKED_LIMIT) return wrong;
  return [...wrong, `unpacks to ${unpackedSize} bytes, expected at most ${UNPACKED_LIMIT}`];
}

/** What the packed pages point to is packed, too. @param {string[]} paths */
function brokenLinks(paths) {
  const pages = paths.filter((path) => path.endsWith(".md"));
  return pages.flatMap((page) => {
    const links = readFileSync(page, "utf8").matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g);
    return [...links]
      .map(([, link]) => posix.join(posix.dirname(page), link))
      .filter((target) => !paths.includes(target))
      .map((target) => `${page} points to ${target}, which is not packed`);
  });
}

async function lint() {
  const pkgDir = resolve(CONSUMER, "node_modules/simdgrad");
  const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

/** Every entry loads and exports something, and the same with require. @param {string[]} entries */
function checkImports(entries) {
  writeFileSync(
    `${CONSUMER}/main.js`,
    `import { createRequire } from "node:module";
const namesOf = (entry) => Object.keys(entry).filter((name) => name !== "default" && name !== "module.exports").sort().join();
const require = createRequire(import.meta.url);
for (const entry of ${JSON.stringify(entries)}) {
  const names = namesOf(await import(entry));
  if (!names && entry !== "simdgrad/lane" || names !== namesOf(require(entry))) throw new Error(entry);
}
`,
  );
  return run(process.execPath, [`${CONSUMER}/main.js`]);
}

/** An error that nobody catches: its message with the class's name, not buried under the minified line that threw it.
 *  @param {string} name @param {string} header */
function checkUncaught(name, header) {
  writeFileSync(`${CONSUMER}/${name}`, `${header};\ndense(0);\n`);
  const { stderr } = spawnSync(process.execPath, [`${CONSUMER}/${name}`], { encoding: "utf8" });
  if (stderr.includes("\nSimdgradError: dense: expected units") && stderr.length < 3000) return [];
  return [`${name}: expected an uncaught error in less than 3,000 characters, received ${stderr.slice(0, 3000)}`];
}

/** The command trains where nothing but the package is installed. */
function checkCommand() {
  return run(process.execPath, [`${CONSUMER}/node_modules/simdgrad/dist/cli.js`, "demo", "--epochs", "1"]);
}

/** The declarations are whole, for a user who checks libraries too and has no Node types, with and without the DOM's.
 *  @param {string[]} entries @param {string} module @param {string} moduleResolution @param {string[]} libraries */
function checkTypes(entries, module, moduleResolution, libraries) {
  writeFileSync(`${CONSUMER}/main.ts`, entries.map((entry, i) => `export * as e${i} from "${entry}";\n`).join(""));
  const compilerOptions = {
    ...{ module, moduleResolution, strict: true, noEmit: true, target: "es2022", types: [] },
    lib: ["es2022", "esnext.disposable", ...libraries],
  };
  writeFileSync(`${CONSUMER}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  return run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", CONSUMER]);
}

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? [] : [`${args.join(" ")}:\n${stdout}${stderr}`];
}

/** @param {string[]} args */
function npm(...args) {
  const { status, stdout, stderr } = spawnSync("npm", args, { encoding: "utf8", shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${stderr}`);
  return stdout;
}
