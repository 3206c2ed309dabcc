// Entry `simdgrad/node`: models as files. A write is whole or not at all.
import { createHash, randomUUID } from "node:crypto";
import { lstat, open, readdir, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SimdgradError, show, withoutHint } from "./errors.ts";
import { load } from "./index.ts";
import { readWhole, using } from "./io/read-file.ts";
import type { LoadOptions } from "./model/build.ts";
import type { Model } from "./model/model.ts";
import type { SaveOptions } from "./model/write-model.ts";

/** A path, or a `file:` URL; here without the types of Node or of browsers. */
export type FilePath = string | { readonly protocol: string; readonly href: string };

/** Saves to a temporary file in the same folder, syncs it, renames it to `path` and syncs the folder: a failure or a
 *  crash leaves the old file or the new one, whole. An old file's permissions are kept, links are followed. Of saves
 *  to one path at the same time the last to finish stays. What killed saves to the path have left beside it is removed.
 *  Errors: as model.save; RUNTIME with the file system's reason. */
export async function saveFile(model: Model, path: FilePath, options: SaveOptions = {}): Promise<void> {
  if (typeof model?.save !== "function") {
    throw new SimdgradError("CONFIG", `saveFile: expected a model, received ${show(model)}.`);
  }
  const name = nameOf("saveFile", path);
  const bytes = model.save(options);
  await onDisk("saveFile", "write", name, () => replace(name, bytes));
}

/** Errors: as load, naming the path; MEMORY where the file does not fit; RUNTIME with the file system's reason. */
export async function loadFile(path: FilePath, options: LoadOptions = {}): Promise<Model> {
  const name = nameOf("loadFile", path);
  const bytes = await onDisk("loadFile", "read", name, () => readWhole(name));
  try {
    return load(bytes, options);
  } catch (cause) {
    if (!(cause instanceof SimdgradError && cause.code === "FORMAT")) throw cause;
    throw new SimdgradError("FORMAT", `loadFile ${JSON.stringify(name)}: ${withoutHint(cause)}`, cause.hint, { cause });
  }
}

function nameOf(where: string, path: FilePath): string {
  if (typeof path === "string" && path !== "") return path;
  if (path instanceof URL && path.protocol === "file:") return fileURLToPath(path.href);
  throw new SimdgradError("CONFIG", `${where}: expected a path or a file URL, received ${show(path)}.`);
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const target = await targetOf(path);
  const old = await unlessMissing(stat(target));
  // A rename would put the file in the place of a device, or of an empty folder.
  if (old && !old.isFile()) throw new Error(`it is no file but a ${old.isDirectory() ? "folder" : "device"}`);
  const folder = dirname(target);
  const prefix = prefixOf(target);
  const temporary = join(folder, `${prefix}${process.pid}-${randomUUID()}.tmp`);
  try {
    await using(open(temporary, "wx"), async (file) => {
      // Who may not give it away keeps it.
      if (old) await file.chown(old.uid, old.gid).catch(() => undefined);
      if (old) await file.chmod(old.mode & 0o7777);
      await file.writeFile(bytes);
      await file.sync();
    });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
  // What stays there does no harm.
  await sweep(folder, prefix).catch(() => undefined);
}

/** Where links lead, also to what is not there yet. */
async function targetOf(path: string): Promise<string> {
  const found = await unlessMissing(realpath(path));
  if (found !== undefined) return found;
  // What fails here is no link: where nothing can be written either, the write says so.
  const to = await readlink(path).catch(() => undefined);
  return to === undefined ? path : targetOf(resolve(await realpath(dirname(path)), to));
}

/** Of the temporary files of one target; not its name, which may be as long as names can be. */
function prefixOf(target: string): string {
  return `.${createHash("sha256").update(basename(target)).digest("hex").slice(0, 16)}-`;
}

/** A process of another machine may write to a shared folder, and cannot be asked. Units: milliseconds. */
const UNTOUCHED = 60_000;

/** Removes the temporary files of processes that are gone. */
async function sweep(folder: string, prefix: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const pid = /^(\d+)-[0-9a-f-]{36}\.tmp$/.exec(name.slice(prefix.length))?.[1];
    if (pid === undefined) continue;
    const file = join(folder, name);
    const { mtimeMs } = await lstat(file);
    if (Date.now() - mtimeMs > UNTOUCHED && isGone(Number(pid), mtimeMs)) await rm(file, { force: true });
  }
}

function isGone(pid: number, touched: number): boolean {
  // A number comes back, in a container at every start: what is older than this process is not its own.
  if (pid === process.pid) return touched < Date.now() - 1000 * process.uptime();
  // Deno would ask its user whether this program may know of others.
  if ("Deno" in globalThis) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

/** So that the new name outlives a power failure, where a folder can be opened and synced at all. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using(open(folder, "r"), (file) => file.sync());
  } catch (error) {
    if (!["EACCES", "EINVAL", "EISDIR", "ENOTSUP", "EPERM"].includes(codeOf(error))) throw error;
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

/** What the system says, with the path and what for. */
async function onDisk<T>(where: string, verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SimdgradError) throw cause;
    // Node's refusals for want of permission are sentences.
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
    const hint = "Look at the path, at who may use it, and at the room on its disk.";
    throw new SimdgradError("RUNTIME", `${where}: could not ${verb} ${JSON.stringify(path)}: ${reason}.`, hint, {
      cause,
    });
  }
}
