// Entry `simdgrad/node`: models as files. A write is whole or not at all.
import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { load } from "./index.ts";
import type { LoadOptions } from "./model/build.ts";
import type { Model, SaveOptions } from "./model/model.ts";

/** Saves to a temporary file beside `path`, syncs it and renames it: a crash leaves the old file or the new one.
 *  Errors: as model.save; the file system's own. */
export async function saveFile(model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  const bytes = model.save(options);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Errors: as load; the file system's own. */
export async function loadFile(path: string, options: LoadOptions = {}): Promise<Model> {
  return load(await readFile(path), options);
}
