// The service example on loopback: answers, refusals, and models exchanged under load.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ServerType, serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { PIXELS, readDigits } from "../../examples/digits/digits.ts";
import { createApp, nameOf, type Prediction } from "../../examples/node-server/app.ts";
import { answersOf, isRight, trainDigits } from "../../examples/node-server/models.ts";
import { dense, sequential } from "../../src/index.ts";

const TOKEN = "test-token";
const { train, test } = readDigits();
const questions = Array.from({ length: 20 }, (_, i) => test.x.slice(i * PIXELS, (i + 1) * PIXELS));
const files = await Promise.all([1, 2, 3].map((epochs) => trainDigits(train, epochs)));
const answers = new Map(files.map((file) => [nameOf(file), answersOf(file, questions)]));

let server: ServerType;
let url: string;

beforeAll(async () => {
  const { fetch } = createApp(files[0], TOKEN);
  url = await new Promise((resolve) => {
    server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => resolve(`http://127.0.0.1:${port}`));
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function predict(body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${url}/predict`, { method: "POST", body: text });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}

async function exchange(file: Uint8Array, token: string | undefined = TOKEN) {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const body = file as Uint8Array<ArrayBuffer>;
  const response = await fetch(`${url}/model`, { method: "POST", headers, body });
  return { status: response.status, text: await response.text() };
}

const served = async () => ((await (await fetch(`${url}/model`)).json()) as { model: string }).model;

describe("predictions", () => {
  it("are those of the model, bit for bit, one row or many", async () => {
    const { status, body } = await predict({ x: questions.map((question) => [...question]) });
    expect(status).toBe(200);
    const { model, outputs } = body as Prediction;
    expect(model).toBe(await served());
    for (const [i, row] of outputs.entries()) expect(isRight({ model, outputs: [row] }, answers, i)).toBe(true);
    // The check itself tells one question, and one model, from another.
    expect(isRight({ model, outputs: [outputs[1]] }, answers, 0)).toBe(false);
    expect(isRight({ model: nameOf(files[1]), outputs: [outputs[0]] }, answers, 0)).toBe(false);
    expect((await predict({ x: [] })).body).toEqual({ model, outputs: [] });
  });

  const row = [...questions[0]];
  it.each<[body: unknown, message: string]>([
    ["", "Expected JSON"],
    ["[1", "Expected JSON"],
    ["null", "x: expected an array of rows"],
    [{}, "x: expected an array of rows"],
    [{ x: row }, "x: expected an array of rows"],
    [{ x: [row, row.slice(1)] }, "row 1"],
    [{ x: [[...row.slice(1), "7"]] }, "column 63"],
    [{ x: [[...row.slice(1), null]] }, "column 63"],
    [`{"x":[[${row.slice(1)},1e39]]}`, "column 63"],
  ])("of nonsense are refused: %.30j, %s", async (body, message) => {
    const reply = await predict(body);
    expect(reply.status).toBe(400);
    expect((reply.body as { error: string }).error).toContain(message);
  });

  it("of too much are refused", async () => {
    for (let i = 0; i < 5; i++) expect((await predict(" ".repeat(2 ** 20 + 1))).status).toBe(413);
  });
});

describe("a new model", () => {
  it("is refused without the token, damaged or of another shape; the old one serves on", async () => {
    const before = await served();
    const other = sequential({ input: PIXELS, layers: [dense(9, { activation: "softmax" })] }).save();
    expect((await exchange(files[1], "")).status).toBe(401);
    for (let i = 0; i < 5; i++) expect((await exchange(files[1], "wrong")).status).toBe(401);
    for (const damaged of [files[1].slice(0, -1), files[1].slice(1), new Uint8Array(0)]) {
      const { status, text } = await exchange(damaged);
      expect([status, Object.keys(JSON.parse(text))]).toEqual([400, ["error"]]);
    }
    expect(await exchange(other)).toMatchObject({
      status: 400,
      text: expect.stringContaining("64 inputs and 9 outputs"),
    });
    expect(await served()).toBe(before);
    expect((await predict({ x: [[...questions[0]]] })).status).toBe(200);
  });

  it("takes over under load: 1,000 requests, none lost, none wrong", async () => {
    let [asked, exchanges] = [0, 0];
    const counts = new Map<string, number>();
    const client = async () => {
      while (asked < 1000) {
        const i = asked++ % questions.length;
        const { status, body } = await predict({ x: [[...questions[i]]] });
        expect(status).toBe(200);
        const prediction = body as Prediction;
        expect(isRight(prediction, answers, i)).toBe(true);
        counts.set(prediction.model, (counts.get(prediction.model) ?? 0) + 1);
        if (asked >= (exchanges + 1) * 25) expect((await exchange(files[++exchanges % 3])).status).toBe(200);
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(1000);
    expect([...counts.keys()].sort()).toEqual([...answers.keys()].sort());
    expect(exchanges).toBeGreaterThan(30);
  });
});

it("says nothing of its inside when it fails", async () => {
  const { fetch: answer } = createApp(files[0], TOKEN);
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const stringify = vi.spyOn(JSON, "stringify").mockImplementationOnce(() => {
    throw new Error("a secret");
  });
  const response = await answer(new Request("http://localhost/predict", { method: "POST", body: '{"x":[]}' }));
  stringify.mockRestore();
  expect([response.status, await response.json()]).toEqual([500, { error: "The service failed." }]);
  expect(logged.mock.lastCall?.[0]).toMatchObject({ message: "a secret" });
  logged.mockRestore();
});

describe("the program", () => {
  const program = fileURLToPath(new URL("../../build/examples/node-server.mjs", import.meta.url));

  it("serves a file, and ends when it is told to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "simdgrad-server-"));
    const path = join(folder, "model.safetensors");
    writeFileSync(path, files[2]);
    const env = { ...process.env, MODEL_TOKEN: TOKEN };
    const child = spawn(process.execPath, [program, "--model", path, "--port", "0"], { env });
    const [line] = await once(createInterface(child.stdout), "line");
    expect(await (await fetch(`${line}/model`)).json()).toEqual({ model: nameOf(files[2]), input: 64, outputs: 10 });
    child.kill();
    expect(await once(child, "exit")).toEqual([0, null]);
    rmSync(folder, { recursive: true });
  });

  it("wants a model and a token", async () => {
    const { MODEL_TOKEN: _, ...env } = process.env;
    const child = spawn(process.execPath, [program, "--model", "model.safetensors"], { env });
    const [chunk] = await once(child.stderr, "data");
    expect(String(chunk)).toMatch(/^Usage: MODEL_TOKEN/);
    expect(await once(child, "exit")).toEqual([2, null]);
  });
});
