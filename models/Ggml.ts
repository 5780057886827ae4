/**
 * Converts a CTranslate2 Whisper model to the GGML file that whisper.cpp reads: same weights, other names, matrices
 * that CTranslate2 fuses (query, key, value) taken apart again.
 *
 * Matrices (2 and 3 dimensions) are written as f16, vectors and positions as f32. Quantised models are refused: convert
 * from the float16 or float32 original. Output for a given input is byte-identical.
 */
import { createWriteStream } from "node:fs"
import { dirname } from "node:path"
import { pipeline } from "node:stream/promises"
import { type Ct2Model, type Ct2Variable, openCt2 } from "./Ct2.ts"
import { halfToSingle, singleToHalf } from "./Half.ts"
import { melFilters, SPECTRUM } from "./Mel.ts"
import { readVocabulary, tokenBytes } from "./Vocabulary.ts"

const MAGIC = 0x67676d6c
const F32 = 0
const F16 = 1
/** Vocabulary sizes from which a model is multilingual; whisper.cpp adds the special tokens after these by itself. */
const MULTILINGUAL_VOCABULARY = 51_865
const TEXT_TOKENS = { multilingual: 50_257, english: 50_256 }
/** whisper.cpp: 64 numbers per attention head in every Whisper model. */
const HEAD = 64

export interface GgmlTensor {
  readonly name: string
  /** Variable of the CTranslate2 model. */
  readonly source: string
  /** Part of the fused rows to take: `index` of `of` equal ones. */
  readonly slice?: { readonly index: number; readonly of: number }
  readonly shape: ReadonlyArray<number>
  readonly float: typeof F32 | typeof F16
}

const int32 = (...values: ReadonlyArray<number>): Buffer => Buffer.from(Int32Array.from(values).buffer)

/** Renames and takes apart: what the GGML file holds, in its order. */
export const layout = (variables: ReadonlyMap<string, Ct2Variable>): ReadonlyArray<GgmlTensor> => {
  const tensors: Array<GgmlTensor> = []
  const shapeOf = (source: string): ReadonlyArray<number> => {
    const found = variables.get(source)
    if (found === undefined) throw new Error(`the model has no ${source}`)
    return found.shape
  }
  const add = (name: string, source: string, options: Partial<GgmlTensor> = {}) => {
    const shape = options.shape ?? shapeOf(source)
    tensors.push({ name, source, shape, float: shape.length > 1 ? F16 : F32, ...options })
  }
  const norm = (name: string, source: string) => {
    add(`${name}.weight`, `${source}/gamma`)
    add(`${name}.bias`, `${source}/beta`)
  }
  const linear = (name: string, source: string) => {
    add(`${name}.weight`, `${source}/weight`)
    add(`${name}.bias`, `${source}/bias`)
  }
  /** `names` share the rows of one fused projection; the key has no bias in Whisper. */
  const fused = (prefix: string, names: ReadonlyArray<string>, source: string) => {
    const [rows = 0, columns = 0] = shapeOf(`${source}/weight`)
    const size = rows / names.length
    for (const [index, name] of names.entries()) {
      const slice = { index, of: names.length }
      add(`${prefix}.${name}.weight`, `${source}/weight`, { slice, shape: [size, columns] })
      if (name !== "key") add(`${prefix}.${name}.bias`, `${source}/bias`, { slice, shape: [size] })
    }
  }
  const block = (side: "encoder" | "decoder", index: number) => {
    const from = `${side}/layer_${index}`
    const to = `${side}.blocks.${index}`
    norm(`${to}.attn_ln`, `${from}/self_attention/layer_norm`)
    fused(`${to}.attn`, ["query", "key", "value"], `${from}/self_attention/linear_0`)
    linear(`${to}.attn.out`, `${from}/self_attention/linear_1`)
    if (side === "decoder") {
      norm(`${to}.cross_attn_ln`, `${from}/attention/layer_norm`)
      linear(`${to}.cross_attn.query`, `${from}/attention/linear_0`)
      fused(`${to}.cross_attn`, ["key", "value"], `${from}/attention/linear_1`)
      linear(`${to}.cross_attn.out`, `${from}/attention/linear_2`)
    }
    norm(`${to}.mlp_ln`, `${from}/ffn/layer_norm`)
    linear(`${to}.mlp.0`, `${from}/ffn/linear_0`)
    linear(`${to}.mlp.2`, `${from}/ffn/linear_1`)
  }
  add("encoder.positional_embedding", "encoder/position_encodings/encodings", { float: F32 })
  for (const conv of ["conv1", "conv2"]) {
    add(`encoder.${conv}.weight`, `encoder/${conv}/weight`)
    const [rows = 0] = shapeOf(`encoder/${conv}/bias`)
    add(`encoder.${conv}.bias`, `encoder/${conv}/bias`, { shape: [rows, 1], float: F32 })
  }
  for (let index = 0; index < layers(variables, "encoder"); index++) block("encoder", index)
  norm("encoder.ln_post", "encoder/layer_norm")
  add("decoder.positional_embedding", "decoder/position_encodings/encodings", { float: F32 })
  add("decoder.token_embedding.weight", "decoder/embeddings/weight")
  for (let index = 0; index < layers(variables, "decoder"); index++) block("decoder", index)
  norm("decoder.ln", "decoder/layer_norm")
  return tensors
}

const layers = (variables: ReadonlyMap<string, Ct2Variable>, side: string): number => {
  let count = 0
  while (variables.has(`${side}/layer_${count}/ffn/linear_0/weight`)) count += 1
  return count
}

/** Values of a tensor in the number type it is written in. */
const valuesOf = async (model: Ct2Model, tensor: GgmlTensor, source: Ct2Variable): Promise<Buffer> => {
  const rows = source.shape[0] ?? 1
  const { index, of } = tensor.slice ?? { index: 0, of: 1 }
  const raw = await model.rows(source, (rows / of) * index, (rows / of) * (index + 1))
  if (source.type === "f16") return tensor.float === F16 ? raw : halfToSingle(raw)
  if (source.type === "f32") return tensor.float === F32 ? raw : singleToHalf(raw)
  throw new Error(`${source.name} is ${source.type}: only float16 and float32 models can be converted`)
}

const header = (variables: ReadonlyMap<string, Ct2Variable>, tokens: ReadonlyArray<string>): Buffer => {
  const shape = (name: string): ReadonlyArray<number> => variables.get(name)?.shape ?? []
  const [audioState = 0, bands = 0] = shape("encoder/conv1/weight")
  const [vocabulary = 0, textState = 0] = shape("decoder/embeddings/weight")
  const [audioContext = 0] = shape("encoder/position_encodings/encodings")
  const [textContext = 0] = shape("decoder/position_encodings/encodings")
  const audio = [audioContext, audioState, audioState / HEAD, layers(variables, "encoder")]
  const text = [textContext, textState, textState / HEAD, layers(variables, "decoder")]
  const kept = tokens.slice(0, vocabulary >= MULTILINGUAL_VOCABULARY ? TEXT_TOKENS.multilingual : TEXT_TOKENS.english)
  const words = kept.flatMap((token) => {
    const bytes = tokenBytes(token)
    return [int32(bytes.length), bytes]
  })
  return Buffer.concat([
    int32(MAGIC, vocabulary, ...audio, ...text, bands, 1),
    int32(bands, SPECTRUM),
    Buffer.from(melFilters(bands).buffer),
    int32(kept.length),
    ...words
  ])
}

/** The GGML file in pieces, one tensor at a time. */
async function* pieces(model: Ct2Model, folder: string): AsyncGenerator<Buffer> {
  if (!model.spec.startsWith("Whisper")) throw new Error(`${model.spec} is not a Whisper model`)
  const tensors = layout(model.variables)
  yield header(model.variables, await readVocabulary(folder))
  for (const tensor of tensors) {
    const source = model.variables.get(tensor.source)
    if (source === undefined) throw new Error(`the model has no ${tensor.source}`)
    const name = Buffer.from(tensor.name)
    yield Buffer.concat([int32(tensor.shape.length, name.length, tensor.float, ...tensor.shape.toReversed()), name])
    yield await valuesOf(model, tensor, source)
  }
}

/** Writes `target` from the CTranslate2 `model.bin` and its neighbours. `onBytes` gets the bytes written so far. */
export const convertToGgml = async (modelBin: string, target: string, onBytes: (written: number) => void): Promise<void> => {
  const model = await openCt2(modelBin)
  let written = 0
  const counted = async function* () {
    for await (const piece of pieces(model, dirname(modelBin))) {
      yield piece
      onBytes((written += piece.length))
    }
  }
  try {
    await pipeline(counted, createWriteStream(target))
  } finally {
    await model.close()
  }
}

/** File that `convertToGgml` makes of a model with this name. */
export const ggmlFile = (name: string): string => `ggml-${name.replace(/^(faster-)?whisper-/, "").replace(/-ggml$/, "")}.bin`
