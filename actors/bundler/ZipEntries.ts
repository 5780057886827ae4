/**
 * Reads the entries of a ZIP that may be anything: damaged, hostile, not a ZIP. The limits keep memory and time bounded:
 * a compressed entry can claim to be a thousand times its size, and entries can share the same bytes.
 */
import type { Readable } from "node:stream"
import { fromBuffer, fromFd, type Entry, type Options, type ZipFile } from "yauzl"

/** A bundle has about ten entries. */
const MAX_ENTRIES = 64
/** Bytes that all compressed entries (texts and events) may unpack to. */
const MAX_UNPACKED = 256 * 1024 * 1024

export interface ZipSource {
  readonly size: number
  /** Exactly `length` bytes, or it rejects. */
  readonly read: (position: number, length: number) => Promise<Buffer>
  readonly open: () => Promise<ZipFile>
}

export interface ZipEntry {
  readonly name: string
  readonly index: number
  /** Stored as it is, not compressed. */
  readonly stored: boolean
  /** Offset of its header in the file. */
  readonly offset: number
  readonly content: () => Promise<Readable>
}

const options: Options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, decodeStrings: true, strictFileNames: true }

const opened = (open: (callback: (cause: Error | null, zip: ZipFile) => void) => void): Promise<ZipFile> =>
  new Promise((resolve, reject) => open((cause, zip) => (cause ? reject(cause) : resolve(zip))))

export const bufferSource = (bytes: Buffer): ZipSource => ({
  size: bytes.length,
  read: async (position, length) => {
    if (position < 0 || position + length > bytes.length) throw new Error("the file is too short")
    return bytes.subarray(position, position + length)
  },
  open: () => opened((callback) => fromBuffer(bytes, options, callback))
})

/** @param file An open file; it is not closed. */
export const fileSource = (file: { readonly fd: number; readonly read: ReadAt }, size: number): ZipSource => ({
  size,
  read: async (position, length) => {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at < length;) {
      const { bytesRead } = await file.read(bytes, at, length - at, position + at)
      if (bytesRead === 0) throw new Error("the file became shorter while it was read")
      at += bytesRead
    }
    return bytes
  },
  open: () => opened((callback) => fromFd(file.fd, options, callback))
})

type ReadAt = (buffer: Buffer, offset: number, length: number, position: number) => Promise<{ readonly bytesRead: number }>

const next = (zip: ZipFile): Promise<Entry | undefined> =>
  new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      zip.removeAllListeners("entry").removeAllListeners("end").removeAllListeners("error")
      // A late error must not become an uncaught exception.
      zip.on("error", () => undefined)
      done()
    }
    zip.once("entry", (entry: Entry) => settle(() => resolve(entry)))
    zip.once("end", () => settle(() => resolve(undefined)))
    zip.once("error", (cause: Error) => settle(() => reject(cause)))
    zip.readEntry()
  })

const contentOf = (zip: ZipFile, entry: Entry): Promise<Readable> =>
  new Promise((resolve, reject) => zip.openReadStream(entry, (cause, stream) => (cause ? reject(cause) : resolve(stream))))

/** The entries in the order of the central directory. Rejects on whatever is not a proper ZIP within the limits. */
export async function* zipEntries(source: ZipSource): AsyncGenerator<ZipEntry> {
  const zip = await source.open()
  if (zip.entryCount > MAX_ENTRIES) throw new Error(`it lists ${zip.entryCount} entries, more than ${MAX_ENTRIES}`)
  let [packed, unpacked] = [0, 0]
  for (let index = 0; ; index++) {
    const entry = await next(zip)
    if (entry === undefined) return
    packed += entry.compressedSize
    if (packed > source.size) throw new Error("its entries overlap")
    if (entry.isCompressed()) unpacked += entry.uncompressedSize
    if (unpacked > MAX_UNPACKED) throw new Error(`its texts unpack to more than ${MAX_UNPACKED} bytes`)
    yield {
      name: entry.fileName,
      index,
      stored: entry.compressionMethod === 0,
      offset: entry.relativeOffsetOfLocalHeader,
      content: () => contentOf(zip, entry)
    }
  }
}

/** The text of one entry of at most `limit` bytes; `undefined` when there is none of that name. */
export const readText = async (source: ZipSource, name: string, limit: number): Promise<string | undefined> => {
  for await (const entry of zipEntries(source)) {
    if (entry.name !== name) continue
    const parts: Array<Buffer> = []
    let size = 0
    for await (const part of (await entry.content()) as AsyncIterable<Buffer>) {
      size += part.length
      if (size > limit) throw new Error(`${name} is larger than it can be`)
      parts.push(part)
    }
    return Buffer.concat(parts).toString("utf8")
  }
  return undefined
}
