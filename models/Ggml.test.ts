import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openCt2 } from "./Ct2.ts"
import { convertToGgml } from "./Ggml.ts"
import { halfToSingle, singleToHalf } from "./Half.ts"
import { melFilters } from "./Mel.ts"
import { tokenBytes } from "./Vocabulary.ts"

const STATE = 64
const VOCABULARY = 12

const string = (text: string): Buffer => {
  const bytes = Buffer.from(`${text}\0`)
  const length = Buffer.alloc(2)
  length.writeUInt16LE(bytes.length)
  return Buffer.concat([length, bytes])
}
const u32 = (...values: ReadonlyArray<number>): Buffer => Buffer.from(Uint32Array.from(values).buffer)

/** Values that differ in every place and are exact in half precision. */
const values = (count: number, seed: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => ((index * 7 + seed) % 251) / 8)
const single = (numbers: ReadonlyArray<number>): Buffer => Buffer.from(Float32Array.from(numbers).buffer)

const size = (shape: ReadonlyArray<number>): number => shape.reduce((product, next) => product * next, 1)

/** A Whisper of one layer a side, as CTranslate2 writes it. */
const tiny: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
  ["decoder/embeddings/weight", [VOCABULARY, STATE]],
  ["decoder/position_encodings/encodings", [8, STATE]],
  ["encoder/position_encodings/encodings", [10, STATE]],
  ["encoder/conv1/weight", [STATE, 80, 3]],
  ["encoder/conv1/bias", [STATE]],
  ["encoder/conv2/weight", [STATE, STATE, 3]],
  ["encoder/conv2/bias", [STATE]],
  ...["encoder", "decoder"].flatMap((side): ReadonlyArray<readonly [string, ReadonlyArray<number>]> => [
    [`${side}/layer_norm/gamma`, [STATE]],
    [`${side}/layer_norm/beta`, [STATE]],
    ...["self_attention", ...(side === "decoder" ? ["attention"] : []), "ffn"].flatMap(
      (part): ReadonlyArray<readonly [string, ReadonlyArray<number>]> => [
        [`${side}/layer_0/${part}/layer_norm/gamma`, [STATE]],
        [`${side}/layer_0/${part}/layer_norm/beta`, [STATE]]
      ]
    ),
    [`${side}/layer_0/self_attention/linear_0/weight`, [3 * STATE, STATE]],
    [`${side}/layer_0/self_attention/linear_0/bias`, [3 * STATE]],
    [`${side}/layer_0/self_attention/linear_1/weight`, [STATE, STATE]],
    [`${side}/layer_0/self_attention/linear_1/bias`, [STATE]],
    [`${side}/layer_0/ffn/linear_0/weight`, [4 * STATE, STATE]],
    [`${side}/layer_0/ffn/linear_0/bias`, [4 * STATE]],
    [`${side}/layer_0/ffn/linear_1/weight`, [STATE, 4 * STATE]],
    [`${side}/layer_0/ffn/linear_1/bias`, [STATE]]
  ]),
  ["decoder/layer_0/attention/linear_0/weight", [STATE, STATE]],
  ["decoder/layer_0/attention/linear_0/bias", [STATE]],
  ["decoder/layer_0/attention/linear_1/weight", [2 * STATE, STATE]],
  ["decoder/layer_0/attention/linear_1/bias", [2 * STATE]],
  ["decoder/layer_0/attention/linear_2/weight", [STATE, STATE]],
  ["decoder/layer_0/attention/linear_2/bias", [STATE]]
]

const seedOf = (name: string): number => name.length * 3

const modelFile = (type: "f16" | "f32" | "i8"): Buffer => {
  const code = { f32: 0, i8: 1, f16: 4 }[type]
  const variables = tiny.map(([name, shape]) => {
    const exact = single(values(size(shape), seedOf(name)))
    const data = type === "f32" ? exact : type === "f16" ? singleToHalf(exact) : Buffer.alloc(size(shape))
    return Buffer.concat([string(name), Buffer.from([shape.length]), u32(...shape), Buffer.from([code]), u32(data.length), data])
  })
  return Buffer.concat([u32(6), string("WhisperSpec"), u32(3, variables.length), ...variables])
}

const convert = async (type: "f16" | "f32" | "i8", bytes = modelFile(type)): Promise<Buffer> => {
  const folder = await mkdtemp(join(tmpdir(), "voxbus-ggml-"))
  try {
    await writeFile(join(folder, "model.bin"), bytes)
    await writeFile(join(folder, "vocabulary.txt"), `${Array.from({ length: VOCABULARY }, (_, index) => `Ġw${index}`).join("\n")}\n`)
    await convertToGgml(join(folder, "model.bin"), join(folder, "out.bin"), () => undefined)
    return await readFile(join(folder, "out.bin"))
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Read {
  readonly header: ReadonlyArray<number>
  readonly tokens: ReadonlyArray<string>
  readonly tensors: ReadonlyMap<
    string,
    { readonly shape: ReadonlyArray<number>; readonly type: number; readonly values: ReadonlyArray<number> }
  >
}

/** Reads a GGML file as whisper.cpp does. */
const parse = (file: Buffer): Read => {
  let at = 0
  const i32 = () => file.readInt32LE((at += 4) - 4)
  const take = (bytes: number) => file.subarray(at, (at += bytes))
  const header = Array.from({ length: 12 }, i32)
  take(4 * i32() * i32())
  const tokens = Array.from({ length: i32() }, () => take(i32()).toString())
  const tensors = new Map<string, { shape: ReadonlyArray<number>; type: number; values: ReadonlyArray<number> }>()
  while (at < file.length) {
    const [rank, length, type] = [i32(), i32(), i32()]
    const shape = Array.from({ length: rank }, i32)
    const name = take(length).toString()
    const raw = Buffer.from(take(size(shape) * (type === 1 ? 2 : 4)))
    const data = type === 1 ? halfToSingle(raw) : raw
    tensors.set(name, { shape, type, values: Array.from({ length: size(shape) }, (_, index) => data.readFloatLE(index * 4)) })
  }
  return { header, tokens, tensors }
}

describe("conversion to GGML", () => {
  it("keeps sizes, words and weights, and takes fused matrices apart", async () => {
    const { header, tensors, tokens } = parse(await convert("f16"))
    assert.deepStrictEqual(header, [0x67676d6c, VOCABULARY, 10, STATE, 1, 1, 8, STATE, 1, 1, 80, 1])
    assert.strictEqual(tokens[3], " w3")
    const fused = values(3 * STATE * STATE, seedOf("encoder/layer_0/self_attention/linear_0/weight"))
    const value = tensors.get("encoder.blocks.0.attn.value.weight")
    assert.deepStrictEqual([value?.type, value?.shape], [1, [STATE, STATE]])
    assert.deepStrictEqual(value?.values, fused.slice(2 * STATE * STATE))
    assert.isFalse(tensors.has("encoder.blocks.0.attn.key.bias"))
    assert.deepStrictEqual(tensors.get("encoder.conv1.bias")?.shape, [1, STATE])
    assert.deepStrictEqual(tensors.get("encoder.conv1.weight")?.shape, [3, 80, STATE])
    assert.strictEqual(tensors.get("encoder.positional_embedding")?.type, 0)
    const cross = values(2 * STATE, seedOf("decoder/layer_0/attention/linear_1/bias"))
    assert.deepStrictEqual(tensors.get("decoder.blocks.0.cross_attn.value.bias")?.values, cross.slice(STATE))
  })

  it("gives the same file for float16 and float32 weights", async () => {
    assert.isTrue((await convert("f16")).equals(await convert("f32")))
  })

  it("refuses quantised, cut and foreign files with a reason", async () => {
    const failure = (type: "f16" | "i8", bytes?: Buffer) =>
      convert(type, bytes).then(
        () => "converted",
        (cause: Error) => cause.message
      )
    assert.include(await failure("i8"), "only float16 and float32")
    assert.include(await failure("f16", modelFile("f16").subarray(0, -5)), "cut short")
    assert.include(await failure("f16", Buffer.from("GGUF, not this")), "not a CTranslate2 model")
    assert.include(await failure("f16", Buffer.alloc(0)), "not a CTranslate2 model")
  })

  it("reads single rows of a variable", async () => {
    const folder = await mkdtemp(join(tmpdir(), "voxbus-ct2-"))
    await writeFile(join(folder, "model.bin"), modelFile("f32"))
    const model = await openCt2(join(folder, "model.bin"))
    const name = "decoder/embeddings/weight"
    const variable = model.variables.get(name)
    assert.isDefined(variable)
    if (variable !== undefined)
      assert.isTrue((await model.rows(variable, 2, 4)).equals(single(values(VOCABULARY * STATE, seedOf(name)).slice(2 * STATE, 4 * STATE))))
    await model.close()
    await rm(folder, { recursive: true })
  })
})

describe("half precision", () => {
  it("returns every one of the 65,536 values to itself", () => {
    const all = Buffer.from(Uint16Array.from({ length: 65_536 }, (_, index) => index).buffer)
    const back = singleToHalf(halfToSingle(all))
    const isNan = (half: number) => (half & 0x7c00) === 0x7c00 && (half & 1023) !== 0
    for (let half = 0; half < 65_536; half++) if (!isNan(half)) assert.strictEqual(back.readUInt16LE(half * 2), half)
  })

  it("rounds to even in the middle", () => {
    const halves = singleToHalf(single([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65_520, 2 ** -25, 3 * 2 ** -25]))
    assert.deepStrictEqual(
      Array.from({ length: 5 }, (_, index) => halves.readUInt16LE(index * 2)),
      [0x3c00, 0x3c02, 0x7c00, 0, 2]
    )
  })
})

describe("mel filterbank", () => {
  it("has Slaney's triangles: area one, in order, up to 8 kHz", () => {
    const filters = melFilters(80)
    const rows = Array.from({ length: 80 }, (_, band) => filters.subarray(band * 201, band * 201 + 201))
    const peaks = rows.map((row) => row.indexOf(Math.max(...row)))
    assert.deepStrictEqual(
      peaks,
      peaks.toSorted((left, right) => left - right)
    )
    // The wide bands hold enough points for their sum (times 40 Hz) to be the area.
    for (const row of rows.slice(50)) assert.closeTo(row.reduce((sum, weight) => sum + weight, 0) * 40, 1, 0.02)
    // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)[0, 1] and [1, 1].
    assert.closeTo(filters[1] ?? 0, 0.02486259490251541, 1e-8)
    assert.closeTo(filters[202] ?? 0, 0.0019908218663, 1e-8)
  })
})

describe("vocabulary", () => {
  it("turns GPT-2's alphabet back into bytes", () => {
    assert.strictEqual(tokenBytes("Ġcafé".normalize("NFC")).toString("latin1"), " café")
    assert.deepStrictEqual([...tokenBytes("Ċ")], [10])
    assert.deepStrictEqual([...tokenBytes("âĤ¬")], [0xe2, 0x82, 0xac])
  })
})
