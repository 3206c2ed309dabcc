// ONNX Runtime, for the web and native: inference of the network written as an ONNX model.
import { endianness } from "node:os";
import type { DenseParameters } from "../../baselines/network.ts";
import type { CreateSubject } from "../subject.ts";

const OPSET = 13;
const IR_VERSION = 8;

export const createOrtWeb: CreateSubject = async (task, parameters) => {
  // @ts-expect-error: a peer, not a dependency
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  return createSession(ort, task.sizes, task.batch, parameters, { executionProviders: ["wasm"] });
};

export const createOrtNode: CreateSubject = async (task, parameters) => {
  // @ts-expect-error: a peer, not a dependency
  const { default: ort } = await import("onnxruntime-node");
  const options = { executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1 };
  return createSession(ort, task.sizes, task.batch, parameters, options);
};

interface Ort {
  InferenceSession: { create: (model: Uint8Array, options: object) => Promise<Session> };
  Tensor: new (type: "float32", data: Float32Array, dims: number[]) => object;
}

interface Session {
  run: (feeds: Record<string, object>) => Promise<Record<string, { data: Float32Array }>>;
}

async function createSession(
  { InferenceSession, Tensor }: Ort,
  sizes: readonly number[],
  batch: number,
  parameters: readonly DenseParameters[],
  options: object,
) {
  const session = await InferenceSession.create(await writeModel(sizes, batch, parameters), {
    graphOptimizationLevel: "all",
    ...options,
  });
  const predict = async (x: Float32Array) => {
    const { y } = await session.run({ x: new Tensor("float32", x, [batch, sizes[0]]) });
    return y.data;
  };
  return { predict };
}

/** Gemm and Relu by turns, Softmax at the end. */
async function writeModel(
  sizes: readonly number[],
  batch: number,
  parameters: readonly DenseParameters[],
): Promise<Uint8Array> {
  // @ts-expect-error: a peer, not a dependency
  const { default: proto } = await import("onnx-proto");
  const { onnx } = proto;
  const FLOAT = onnx.TensorProto.DataType.FLOAT;
  if (endianness() !== "LE") throw new Error("Expected a little-endian machine: ONNX stores raw data so.");

  const tensor = (name: string, values: Float32Array, dims: number[]) => {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { name, dims, dataType: FLOAT, rawData };
  };
  const info = (name: string, dims: number[]) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  const last = parameters.length - 1;
  const node = parameters.flatMap((_, i) => [
    { opType: "Gemm", input: [i > 0 ? `h${i}` : "x", `w${i}`, `b${i}`], output: [`z${i}`] },
    i < last
      ? { opType: "Relu", input: [`z${i}`], output: [`h${i + 1}`] }
      : { opType: "Softmax", input: [`z${i}`], output: ["y"] },
  ]);
  const graph = {
    name: "network",
    node,
    initializer: parameters.flatMap(({ kernel, bias }, i) => [
      tensor(`w${i}`, kernel, [sizes[i], bias.length]),
      tensor(`b${i}`, bias, [bias.length]),
    ]),
    input: [info("x", [batch, sizes[0]])],
    output: [info("y", [batch, sizes[sizes.length - 1]])],
  };
  const model = { irVersion: IR_VERSION, opsetImport: [{ domain: "", version: OPSET }], graph };
  return onnx.ModelProto.encode(onnx.ModelProto.fromObject(model)).finish();
}
