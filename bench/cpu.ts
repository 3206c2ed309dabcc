// Which processor this is. Clouds name all of a maker's alike, and native libraries differ by what its vectors are.
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** The name, and on Linux family, model and the widest vectors, as `AMD EPYC (family 25, model 1, AVX2)`. */
export const describeCpu = (): string => describeFrom(cpus()[0].model.trim(), readInfo());

/** `info` as in /proc/cpuinfo, empty elsewhere. */
export function describeFrom(name: string, info: string): string {
  const field = (key: string) => info.match(new RegExp(`^${key}\\s*: (.*)$`, "m"))?.[1];
  const flags = field("flags")?.split(" ") ?? [];
  const vectors = flags.includes("avx512f") ? "AVX-512" : flags.includes("avx2") ? "AVX2" : undefined;
  const [family, model] = [field("cpu family"), field("model")];
  const details = [family && `family ${family}`, model && `model ${model}`, vectors].filter(Boolean);
  return details.length > 0 ? `${name} (${details.join(", ")})` : name;
}

function readInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
