// A file's bytes, whole, however many: Node's readFile takes no more than 2 GiB.
import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { SimdgradError } from "../errors.ts";

/** What is read at once at most; systems take less than 2 GiB. Units: bytes. */
const PIECE = 2 ** 30;

/** A file that is cut short meanwhile gives what is left. Errors: MEMORY; the file system's. */
export async function readWhole(path: string, piece = PIECE): Promise<Uint8Array> {
  const { size } = await stat(path);
  // Also what has no size, as pipes.
  if (size <= piece) return readFile(path);
  const bytes = room(path, size);
  let at = 0;
  await using(open(path, "r"), async (file) => {
    for (let count = -1; count !== 0 && at < size; at += count) {
      const part = bytes.subarray(at, at + piece);
      count = (await file.read(part, 0, part.length, at)).bytesRead;
    }
  });
  return bytes.subarray(0, at);
}

function room(path: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new SimdgradError(
      "MEMORY",
      `loadFile: expected room for ${JSON.stringify(path)}, received the engine's refusal of its ${size} bytes.`,
      "Save without the training's state, or with dtype f16.",
      { cause },
    );
  }
}

/** Closes the file whatever comes of its use. */
export async function using(opening: Promise<FileHandle>, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await opening;
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
