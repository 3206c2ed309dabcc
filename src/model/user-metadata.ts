// What a user keeps in a model's file.
import { SimdgradError, show } from "../errors.ts";
import type { TensorFile } from "../io/safetensors.ts";
import { checkObject } from "../options.ts";
import { inFile, limited, MAX_USER } from "./file.ts";
import { parseEntry } from "./file-header.ts";

/** What a user keeps beside the network: his own keys, any text. */
export type UserMetadata = Record<string, string>;

/** The same entries give the same text. Errors: CONFIG, naming the key. */
export function userJson(where: string, user: UserMetadata): string {
  const keys = Object.keys(checkObject(where, user)).sort();
  const entries = keys.map((key) => {
    const value: unknown = user[key];
    if (typeof value === "string") return [key, value];
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected metadata ${show(key)} to be a string, received ${show(value)}.`,
      "Make it one, as by JSON.stringify.",
    );
  });
  return limited(where, "metadata", JSON.stringify(Object.fromEntries(entries)), MAX_USER);
}

/** Errors: FORMAT. */
export function readUser({ metadata }: TensorFile): UserMetadata {
  if (!metadata.has("user")) return {};
  return inFile("metadata", () => {
    const user = parseEntry(metadata, "user") as UserMetadata;
    userJson("user", user);
    return user;
  });
}
