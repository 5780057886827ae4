/**
 * Writes the sealed bundle: a ZIP whose first entry is `mimetype`, stored, so that it can be recognised by its first
 * bytes. The same content gives the same bytes: entries have fixed order, times and modes.
 *
 * The comment at the end holds the hash of everything before it, so the ZIP is written with blanks in its place, hashed
 * on the way to the disk, and the last bytes are put there when the hash is known.
 */
import type * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { PassThrough } from "node:stream"
import { ZipFile } from "yazl"
import type { BundleFile, EventOf, Transcript } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import type { Retryable } from "../../kernel/Failure.ts"
import { transcriptJson } from "./exports/Json.ts"
import { onDisk, writeAll, writing, type FileFacts } from "./Files.ts"
import {
  chainLine,
  COMMENT_LENGTH,
  ENTRY,
  GENESIS,
  makeComment,
  MEDIA_TYPE,
  sealText,
  sha256,
  type Hashes,
  type Seal,
  type Signer
} from "./Seal.ts"

export interface BundleContent {
  readonly opened: EventOf<"session.opened">
  readonly transcript: Transcript
  /** `transcript.txt` ... as they are in the output folder. */
  readonly exports: ReadonlyArray<{ readonly name: string; readonly bytes: Uint8Array }>
  /** Ogg/Opus; absent when the call has no samples. */
  readonly recording?: Uint8Array
  /** What lies beside the bundle in the output folder: the seal covers their hashes too. */
  readonly beside: ReadonlyArray<typeof BundleFile.Type>
  /** All events of the call up to `transcript.completed`, in the order of the log. */
  readonly events: ReadonlyArray<Logged>
}

export interface WrittenBundle extends FileFacts {
  readonly seal: Seal
}

/** 1980-01-01 00:00 in whatever zone the machine is: ZIP has local time, and the day a bundle is written is not content. */
const fixed = { mtime: new Date(1980, 0, 1), mode: 0o100644, forceDosTimestamp: true } as const

const manifestOf = ({ opened, transcript, events, beside }: BundleContent, names: ReadonlyArray<string>): string => {
  const { text: _text, segments, ...facts } = transcriptJson(transcript)
  const manifest = {
    format: "vtb",
    formatVersion: 1,
    mediaType: MEDIA_TYPE,
    generator: "voxbus",
    ...facts,
    source: opened.source,
    config: opened.config,
    segments: segments.length,
    words: segments.reduce((sum, { words }) => sum + words.length, 0),
    events: events.length,
    files: names,
    folder: beside
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** `events.jsonl`, and the hash of its last line. */
export const chainEvents = (events: ReadonlyArray<Logged>): { readonly text: string; readonly head: string } => {
  let head = GENESIS
  const lines = events.map(({ stream, sequence, subject, time, actor, cause, event }) => {
    const { line, hash } = chainLine(head, { stream, sequence, subject, time, actor, cause, event })
    head = hash
    return `${line}\n`
  })
  return { text: lines.join(""), head }
}

/** Passes all but the last `length` bytes on as they come; returns the last. */
const holdBack = async (source: AsyncIterable<Buffer>, length: number, pass: (bytes: Buffer) => Promise<void>): Promise<Buffer> => {
  let held: Buffer = Buffer.alloc(0)
  for await (const part of source) {
    const both = held.length === 0 ? part : Buffer.concat([held, part])
    const cut = Math.max(0, both.length - length)
    if (cut > 0) await pass(both.subarray(0, cut))
    held = Buffer.from(both.subarray(cut))
  }
  return held
}

const write = async (path: string, content: BundleContent, signer: Signer, signal: AbortSignal): Promise<WrittenBundle> => {
  const chain = chainEvents(content.events)
  const { recording } = content
  const entries: ReadonlyArray<{ readonly name: string; readonly bytes: Uint8Array }> = [
    ...content.exports.map(({ name, bytes }) => ({ name: `transcript/${name}`, bytes })),
    { name: ENTRY.events, bytes: Buffer.from(chain.text) }
  ]
  const names = [
    ENTRY.mimetype,
    ENTRY.manifest,
    ENTRY.hashes,
    ...(recording === undefined ? [] : [ENTRY.recording]),
    ...entries.map(({ name }) => name)
  ]
  const mimetype = Buffer.from(MEDIA_TYPE)
  const manifest = Buffer.from(manifestOf(content, [...names, ENTRY.seal]))
  const facts = (name: string, bytes: Uint8Array) => ({ name, bytes: bytes.length, sha256: sha256(bytes) })
  const hashes: Hashes = {
    algorithm: "SHA-256",
    files: [
      facts(ENTRY.mimetype, mimetype),
      facts(ENTRY.manifest, manifest),
      ...(recording === undefined ? [] : [facts(ENTRY.recording, recording)]),
      ...entries.map(({ name, bytes }) => facts(name, bytes))
    ]
  }
  const hashesBytes = Buffer.from(`${JSON.stringify(hashes, null, 2)}\n`)
  const sealed = {
    session: content.transcript.session,
    head: chain.head,
    events: content.events.length,
    manifestSha256: sha256(manifest),
    hashesSha256: sha256(hashesBytes),
    publicKey: signer.publicKey
  }
  const seal: Seal = { format: "vtb1", ...sealed, algorithm: "Ed25519", signature: signer.sign(sealText(sealed)) }

  const zip = new ZipFile()
  // yazl's output is a PassThrough; its types know less. An error of the archive must end the reading of it.
  const output = zip.outputStream as PassThrough
  zip.on("error", (cause) => output.destroy(cause instanceof Error ? cause : new Error(String(cause))))
  zip.addBuffer(mimetype, ENTRY.mimetype, { ...fixed, compress: false })
  zip.addBuffer(manifest, ENTRY.manifest, fixed)
  zip.addBuffer(hashesBytes, ENTRY.hashes, fixed)
  if (recording !== undefined) zip.addBuffer(Buffer.from(recording), ENTRY.recording, { ...fixed, compress: false })
  for (const { name, bytes } of entries) zip.addBuffer(Buffer.from(bytes), name, fixed)
  zip.addBuffer(Buffer.from(`${JSON.stringify(seal, null, 2)}\n`), ENTRY.seal, fixed)
  zip.end({ comment: " ".repeat(COMMENT_LENGTH), forceZip64Format: false })

  return writing(path, async (file) => {
    const hash = createHash("sha256")
    let bytes = 0
    await holdBack(output, COMMENT_LENGTH, async (part) => {
      signal.throwIfAborted()
      hash.update(part)
      bytes += part.length
      await writeAll(file, part)
    })
    const comment = Buffer.from(makeComment(hash.copy().digest("hex"), signer), "latin1")
    await writeAll(file, comment)
    return { bytes: bytes + comment.length, sha256: hash.update(comment).digest("hex"), seal }
  })
}

/** Writes the bundle to `path`, which must not exist yet. Memory: the events, the texts and the Opus. */
export const writeBundle = (path: string, content: BundleContent, signer: Signer): Effect.Effect<WrittenBundle, Retryable> =>
  onDisk(path, (signal) => write(path, content, signer, signal))
