import { assert, describe, it } from "@effect/vitest"
import { type PiperConfig, sherpaMetadata, tokensText } from "./Piper.ts"

const config: PiperConfig = {
  audio: { sample_rate: 22_050 },
  espeak: { voice: "en-us" },
  language: { name_english: "English ".repeat(20) },
  num_speakers: 1,
  phoneme_id_map: { "1": [5], _: [0], " ": [3] }
}

/** Fields 14 of an ONNX file: {1: key, 2: value}. */
const properties = (bytes: Buffer): Record<string, string> => {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++)
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const text = (field: number) => {
    assert.strictEqual(varint(), (field << 3) | 2)
    const length = varint()
    return bytes.toString("utf8", at, (at += length))
  }
  const found: Record<string, string> = {}
  while (at < bytes.length) {
    assert.strictEqual(varint(), (14 << 3) | 2)
    const end = varint() + at
    const key = text(1)
    found[key] = text(2)
    assert.strictEqual(at, end)
  }
  return found
}

describe("a Piper voice for sherpa-onnx", () => {
  it("gets its facts as ONNX metadata, values longer than 127 bytes included", () => {
    const { language, ...rest } = properties(sherpaMetadata(config))
    assert.strictEqual(language, config.language.name_english)
    assert.deepStrictEqual(rest, {
      model_type: "vits",
      comment: "piper",
      voice: "en-us",
      has_espeak: "1",
      n_speakers: "1",
      sample_rate: "22050"
    })
  })

  it("gets its tokens by id", () => {
    assert.strictEqual(tokensText(config), "_ 0\n  3\n1 5\n")
  })
})
