/**
 * Wyoming on the wire: a line of JSON (`type`, and how long the rest is), a block of JSON, a block of bytes. Data may stand
 * in the line as well as in its block; it is written into the block, as the reference library does.
 */
import * as Schema from "effect/Schema"
import { describe, Terminal } from "../../kernel/Failure.ts"

/** Bytes. The line is what Python's reader takes; a request holds at most a long text or a second of audio. */
const MOST_LINE = 65_536
const MOST_DATA = 1_048_576
const MOST_PAYLOAD = 1_048_576

export type Data = { readonly [key: string]: unknown }

export interface Frame {
  readonly type: string
  readonly data: Data
  readonly payload: Uint8Array
}

const NONE = new Uint8Array()

const lengthUpTo = (most: number) => Schema.optionalKey(Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))))
const Block = Schema.Record(Schema.String, Schema.Unknown)
const Header = Schema.Struct({
  type: Schema.NonEmptyString,
  data: Schema.optionalKey(Schema.NullOr(Block)),
  data_length: lengthUpTo(MOST_DATA),
  payload_length: lengthUpTo(MOST_PAYLOAD)
})
const decodeHeader = Schema.decodeUnknownSync(Schema.fromJsonString(Header))
const decodeBlock = Schema.decodeUnknownSync(Schema.fromJsonString(Block))

export const encodeFrame = (type: string, data: Data = {}, payload: Uint8Array = NONE): Uint8Array => {
  const block = Buffer.from(Object.keys(data).length === 0 ? "" : JSON.stringify(data))
  const header = {
    type,
    version: "1.9.0",
    ...(block.length === 0 ? {} : { data_length: block.length }),
    ...(payload.length === 0 ? {} : { payload_length: payload.length })
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), block, payload])
}

const malformed = (why: string) => new Terminal({ code: "input.invalid", message: `This is not Wyoming: ${why}` })

/** Takes bytes as they come and returns the frames that are complete. Throws `input.invalid`; after that it is of no use. */
export const makeParser = (): ((chunk: Uint8Array) => ReadonlyArray<Frame>) => {
  let held = Buffer.alloc(0)

  /** The first frame of what is held, if all of it is there. */
  const next = (): Frame | undefined => {
    const end = held.indexOf(10)
    if (end > MOST_LINE || (end < 0 && held.length > MOST_LINE)) throw malformed(`a line is longer than ${MOST_LINE} bytes.`)
    if (end < 0) return undefined
    try {
      const { type, data, data_length, payload_length } = decodeHeader(held.toString("utf8", 0, end))
      const block = end + 1 + (data_length ?? 0)
      const whole = block + (payload_length ?? 0)
      if (held.length < whole) return undefined
      const more = (data_length ?? 0) === 0 ? {} : decodeBlock(held.toString("utf8", end + 1, block))
      const payload = new Uint8Array(held.subarray(block, whole))
      held = held.subarray(whole)
      return { type, data: { ...data, ...more }, payload }
    } catch (cause) {
      throw malformed(describe(cause).split("\n")[0] ?? "")
    }
  }

  return (chunk) => {
    held = Buffer.concat([held, chunk])
    const frames: Array<Frame> = []
    for (let frame = next(); frame !== undefined; frame = next()) frames.push(frame)
    return frames
  }
}
