// The README's example runs as it stands.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";

it("the first example of the README learns XOR", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const code = /```js\n([\s\S]*?)```/.exec(readme)?.[1] as string;
  const file = new URL("../build/readme-example.mjs", import.meta.url);
  writeFileSync(file, code);
  try {
    const output = execFileSync(process.execPath, [file.pathname], { encoding: "utf8" });
    const numbers = /\[([^\]]*)\]/.exec(output)?.[1] ?? "";
    const [first, second] = numbers.split(",").map(Number);
    expect(first).toBeGreaterThan(0.9);
    expect(second).toBeLessThan(0.1);
  } finally {
    rmSync(file);
  }
});
