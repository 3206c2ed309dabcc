// Fashion-MNIST as Debian's package dataset-fashion-mnist installs it: IDX files, gzipped. Nothing is downloaded.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SimdgradError } from "../../src/index.ts";

const FOLDER = "/usr/share/datasets/fashion-mnist";

/** The names of the classes, by index. */
export const CLASSES = "T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot".split(", ");

export interface Images {
  /** Shapes: [rows, 784]. Units: 0 to 1. */
  x: Float32Array;
  y: Int32Array;
}

export function isInstalled(): boolean {
  return existsSync(join(FOLDER, "train-images-idx3-ubyte.gz"));
}

/** `part`: 60,000 images to train on, or 10,000 to test with. Errors: FORMAT. */
export function readImages(part: "train" | "t10k"): Images {
  const pixels = readIdx(`${part}-images-idx3-ubyte.gz`, [28, 28]);
  const labels = readIdx(`${part}-labels-idx1-ubyte.gz`, []);
  return { x: Float32Array.from(pixels, (value) => value / 255), y: Int32Array.from(labels) };
}

/** The bytes behind an IDX header: two zeros, type 8 (bytes), the number of dimensions, and each as a big-endian u32. */
function readIdx(file: string, inner: readonly number[]): Uint8Array {
  const bytes = gunzipSync(readFileSync(join(FOLDER, file)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sizes = Array.from({ length: bytes[3] }, (_, i) => view.getUint32(4 + 4 * i));
  const start = 4 + 4 * sizes.length;
  const expected = sizes.reduce((product, size) => product * size, 1);
  if (view.getUint16(0) !== 0 || bytes[2] !== 8 || sizes.slice(1).join() !== inner.join()) {
    throw new SimdgradError(
      "FORMAT",
      `${file}: expected IDX bytes of rows x ${inner.join(" x ")}, found another file.`,
    );
  }
  if (bytes.length - start !== expected) {
    throw new SimdgradError("FORMAT", `${file}: expected ${expected} bytes of data, found ${bytes.length - start}.`);
  }
  return bytes.subarray(start);
}
