// What the command carries with it, unpacked.
import { gunzipSync } from "node:zlib";

/** Units: gzipped, in base64. */
export function unpack(packed: string): string {
  return gunzipSync(Buffer.from(packed, "base64")).toString();
}
