/**
 * WAV without FFmpeg: read its header, write one, write a file whose header is right after every write.
 *
 * Recorders that were killed leave headers that lie about the size (0, 0xFFFFFFFF, or the size at the last update);
 * `wavExtent` finds out where the samples really end, so that no second of such a recording is lost.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { open } from "node:fs/promises"
import { describe, Retryable, systemCode } from "../Failure.ts"

export interface WavHeader {
  readonly pcm16: boolean
  readonly channels: number
  readonly sampleRate: number
  /** Byte at which the samples begin. */
  readonly dataOffset: number
  /** Bytes of samples that the header claims. */
  readonly declared: number
}

const PCM = 1
const EXTENSIBLE = 0xfffe
const UNKNOWN = 0xffffffff
export const WAV_HEADER_BYTES = 44

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const tagAt = (bytes: Uint8Array, at: number) => Buffer.from(bytes.buffer, bytes.byteOffset + at, 4).toString("latin1")

/** The header, from the first 64 KiB of a file; `undefined` when it is not a WAV file with a format and samples. */
export const parseWav = (head: Uint8Array): WavHeader | undefined => {
  const riff = head.length >= 12 ? tagAt(head, 0) : ""
  if ((riff !== "RIFF" && riff !== "RF64") || tagAt(head, 8) !== "WAVE") return undefined
  const view = viewOf(head)
  let format: { readonly pcm16: boolean; readonly channels: number; readonly sampleRate: number } | undefined
  let wideSize: number | undefined
  for (let at = 12; at + 8 <= head.length;) {
    const tag = tagAt(head, at)
    const size = view.getUint32(at + 4, true)
    const body = at + 8
    if (tag === "data") {
      return format === undefined ? undefined : { ...format, dataOffset: body, declared: size === UNKNOWN ? (wideSize ?? UNKNOWN) : size }
    }
    if (tag === "ds64" && body + 16 <= head.length) wideSize = Number(view.getBigUint64(body + 8, true))
    if (tag === "fmt " && size >= 16 && body + 16 <= head.length) {
      const code = view.getUint16(body, true)
      const subformat = code === EXTENSIBLE && size >= 26 && body + 26 <= head.length ? view.getUint16(body + 24, true) : code
      format = {
        pcm16: subformat === PCM && view.getUint16(body + 14, true) === 16,
        channels: view.getUint16(body + 2, true),
        sampleRate: view.getUint32(body + 4, true)
      }
    }
    at = body + size + (size % 2)
  }
  return undefined
}

/** Bytes of samples the file really holds, and whether it holds fewer than its header promises. */
export interface WavExtent {
  readonly bytes: number
  readonly truncated: boolean
  /** The header's size cannot be used. */
  readonly lies: boolean
}

const isChunk = (bytes: Uint8Array, left: number): boolean =>
  bytes.length >= 8 && /^[\x20-\x7e]{4}$/.test(tagAt(bytes, 0)) && viewOf(bytes).getUint32(4, true) <= left - 8

/**
 * @param size bytes of the whole file
 * @param after the 8 bytes (or fewer) that follow the samples where the header says they end
 */
export const wavExtent = (header: WavHeader, size: number, after: Uint8Array): WavExtent => {
  const available = Math.max(0, size - header.dataOffset)
  const { declared } = header
  if (declared >= available)
    return { bytes: available, truncated: declared > available && declared !== UNKNOWN, lies: declared > available }
  const left = available - declared - (declared % 2)
  // Other chunks (tags, cue points) follow the samples of an honest file; anything else is more samples.
  const honest = left < 8 || isChunk(after, left)
  return honest ? { bytes: declared, truncated: false, lies: false } : { bytes: available, truncated: false, lies: true }
}

const header = (dataBytes: number, rate: number, channels: number): Buffer => {
  const bytes = Buffer.alloc(WAV_HEADER_BYTES)
  bytes.write("RIFF", 0, "latin1")
  bytes.writeUInt32LE(Math.min(UNKNOWN, dataBytes + 36), 4)
  bytes.write("WAVEfmt ", 8, "latin1")
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(PCM, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(rate * channels * 2, 28)
  bytes.writeUInt16LE(channels * 2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write("data", 36, "latin1")
  bytes.writeUInt32LE(Math.min(UNKNOWN, dataBytes), 40)
  return bytes
}

/** The head of a mono file whose length nobody knows yet: readers take what comes. */
export const streamedWavHeader = (rate: number): Uint8Array => header(UNKNOWN, rate, 1)

const asBytes = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)

/** A whole WAV file of interleaved `s16` samples. */
export const wavBytes = (pcm: Int16Array, rate: number, channels: number): Uint8Array =>
  Buffer.concat([header(pcm.byteLength, rate, channels), asBytes(pcm)])

export interface WavWriter {
  /** Appends interleaved samples. When it returns, the file is a valid WAV with all samples so far. */
  readonly write: (pcm: Int16Array) => Effect.Effect<void, Retryable>
}

/** Creates (or replaces) a WAV file that is open as long as the scope. */
export const wavWriter = (path: string, rate: number, channels: number): Effect.Effect<WavWriter, Retryable, Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* Effect.acquireRelease(
      attempt(path, () => open(path, "w")),
      (handle) => Effect.promise(() => handle.close())
    )
    yield* attempt(path, () => file.write(header(0, rate, channels), 0, WAV_HEADER_BYTES, 0))
    let bytes = 0
    return {
      write: (pcm) =>
        attempt(path, async () => {
          await file.write(asBytes(pcm), 0, pcm.byteLength, WAV_HEADER_BYTES + bytes)
          bytes += pcm.byteLength
          await file.write(header(bytes, rate, channels), 0, WAV_HEADER_BYTES, 0)
        })
    }
  })

const attempt = <A>(path: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      systemCode(cause) === "ENOSPC"
        ? new Retryable({ code: "disk.full", message: `There is no space left for ${path}. Free some and retry.`, cause })
        : new Retryable({ code: "bundle.unwritable", message: `${path} cannot be written: ${describe(cause)}`, cause })
  })
