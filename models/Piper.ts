/**
 * Makes a Piper voice fit for sherpa-onnx: the facts it wants in the ONNX file's metadata, and `tokens.txt`.
 *
 * An ONNX file is a protobuf message and protobuf fields concatenate, so metadata is *appended*: field 14 of the model
 * (`metadata_props`) is a message {1: key, 2: value}. The weights before it are not touched.
 */
import * as Schema from "effect/Schema"

/** The parts of Piper's `.onnx.json` that are used. */
const PiperConfig = Schema.fromJsonString(
  Schema.Struct({
    audio: Schema.Struct({ sample_rate: Schema.Int }),
    espeak: Schema.Struct({ voice: Schema.String }),
    language: Schema.Struct({ name_english: Schema.String }),
    num_speakers: Schema.Int,
    phoneme_id_map: Schema.Record(Schema.String, Schema.NonEmptyArray(Schema.Int))
  })
)
export type PiperConfig = typeof PiperConfig.Type
export const parsePiperConfig = Schema.decodeUnknownEffect(PiperConfig)

/** Length below 2^14, which all of these are. */
const varint = (value: number): ReadonlyArray<number> => (value < 128 ? [value] : [(value & 127) | 128, value >> 7])
const field = (number: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes])
const property = (key: string, value: string): Buffer =>
  field(14, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]))

/** What is appended to the `.onnx` file. */
export const sherpaMetadata = (config: PiperConfig): Buffer =>
  Buffer.concat(
    Object.entries({
      model_type: "vits",
      comment: "piper",
      language: config.language.name_english,
      voice: config.espeak.voice,
      has_espeak: "1",
      n_speakers: String(config.num_speakers),
      sample_rate: String(config.audio.sample_rate)
    }).map(([key, value]) => property(key, value))
  )

/** `tokens.txt`: one `symbol id` per line, by id (an object of JavaScript would put the digits first). */
export const tokensText = (config: PiperConfig): string =>
  Object.entries(config.phoneme_id_map)
    .toSorted(([, [left]], [, [right]]) => left - right)
    .map(([symbol, [id]]) => `${symbol} ${id}\n`)
    .join("")
