// The header of a model's file: whether it is one, and its spec.
import { show } from "../errors.ts";
import { parseJson } from "../io/json.ts";
import { readSafetensors, type TensorFile } from "../io/safetensors.ts";
import { checkKeys } from "../options.ts";
import type { NetworkSpec } from "../plan/layout.ts";
import { badFile, FORMAT, inFile, limited, MAX_SPEC, VERSION } from "./file.ts";

/** The tensors of a file that is a model's. Errors: FORMAT. */
export function openModel(bytes: Uint8Array): TensorFile {
  const file = readSafetensors(bytes);
  const { metadata } = file;
  const [format, version] = ["format", "version"].map((key) => metadata.get(key));
  if (format !== FORMAT) {
    throw badFile(
      `expected the format ${FORMAT} in its metadata, found ${format === undefined ? "none" : show(format)}`,
      "It is no model that save wrote; setWeights takes the tensors of others.",
    );
  }
  if (version !== VERSION) {
    const newer = Number(version) > Number(VERSION);
    throw badFile(
      `expected the format ${FORMAT} ${VERSION} in its metadata, found version ${show(version)}`,
      newer ? "A newer simdgrad wrote it: update the package." : undefined,
    );
  }
  for (const key of metadata.keys()) {
    if (!["format", "version", "spec", "state", "user"].includes(key)) throw badFile(`unknown metadata ${show(key)}`);
  }
  return file;
}

/** Errors: FORMAT for what `normalize` refuses. */
export function readSpec<T>({ metadata }: TensorFile, normalize: (json: NetworkSpec) => T): T {
  return inFile("spec", () => {
    limited("spec", "text", metadata.get("spec") ?? "", MAX_SPEC);
    const json = parseEntry(metadata, "spec") as NetworkSpec;
    checkKeys("spec", json, ["input", "layers", "loss", "optimizer", "metrics", "seed"]);
    return normalize(json);
  });
}

/** Errors: FORMAT for what is no JSON. */
export function parseEntry(metadata: TensorFile["metadata"], key: string): unknown {
  try {
    return parseJson(metadata.get(key) ?? "");
  } catch (cause) {
    throw badFile(
      `expected JSON in its metadata ${key}, found ${show(metadata.get(key))}: ${(cause as Error).message}`,
      undefined,
      cause,
    );
  }
}
