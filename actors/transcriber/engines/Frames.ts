/**
 * The framing that both engine processes speak over stdin and stdout: two little-endian u32 (length of the JSON header,
 * length of the body), the header, the body. Requests carry PCM in the body; replies have none.
 */
import type { Bytes } from "../../../kernel/Bus.ts"

export interface Frame {
  readonly header: unknown
  readonly body: Buffer
}

/** 64 MiB: thirty minutes of audio. More than that is not a frame but noise on the pipe. */
const LARGEST = 64 * 1024 * 1024

export const encode = (header: unknown, body: Bytes = new Uint8Array()): Buffer => {
  const json = Buffer.from(JSON.stringify(header))
  const sizes = Buffer.alloc(8)
  sizes.writeUInt32LE(json.length, 0)
  sizes.writeUInt32LE(body.length, 4)
  return Buffer.concat([sizes, json, body])
}

/** Returns a function that takes bytes as they come and gives the frames they complete. Throws on what is no frame. */
export const decoder = (): ((bytes: Buffer) => ReadonlyArray<Frame>) => {
  let pending: Array<Buffer> = []
  let held = 0
  let needed = 8
  return (bytes) => {
    pending.push(bytes)
    held += bytes.length
    const frames: Array<Frame> = []
    while (held >= needed) {
      const buffer: Buffer = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending)
      const json = buffer.readUInt32LE(0)
      const size = 8 + json + buffer.readUInt32LE(4)
      if (size > LARGEST) throw new Error(`A frame of ${size} bytes is not possible.`)
      needed = size
      if (buffer.length >= size) {
        frames.push({ header: JSON.parse(buffer.toString("utf8", 8, 8 + json)) as unknown, body: buffer.subarray(8 + json, size) })
        needed = 8
      }
      const rest = needed === 8 ? buffer.subarray(size) : buffer
      pending = [rest]
      held = rest.length
    }
    return frames
  }
}
