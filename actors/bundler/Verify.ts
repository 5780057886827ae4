/**
 * Is this bundle what was sealed? Any changed byte, any cut and any addition is found, because the last bytes of the file
 * sign the hash of all bytes before them (see `Seal.ts`); the inner checks then say what was hit.
 *
 * Anything may be given: a text, half a ZIP, a ZIP bomb. The answer is then a list of problems, never a crash; only a
 * path that cannot be read is an error. A bundle that was changed and sealed again with another key is consistent in
 * itself: `seal.publicKey` says who sealed it, and `expectKey` insists.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import { describe, systemCode, Terminal } from "../../kernel/Failure.ts"
import { chainReader, type ChainFacts } from "./EventChain.ts"
import { COMMENT_LENGTH, ENTRY, Hashes, isSignedBy, MEDIA_TYPE, parseComment, Seal, sealText, type Comment } from "./Seal.ts"
import { bufferSource, fileSource, zipEntries, type ZipEntry, type ZipSource } from "./ZipEntries.ts"

export interface Verification {
  readonly ok: boolean
  /** What was compared with what, for people; empty when there was nothing to compare. */
  readonly checked: ReadonlyArray<string>
  /** What is wrong, for people; empty when `ok`. */
  readonly problems: ReadonlyArray<string>
  /** What the seal says; `own` when `ownKey` was given: whether this installation sealed it. */
  readonly seal?: {
    readonly publicKey: string
    readonly signature: string
    readonly events: number
    readonly head: string
    readonly session: string
    readonly own?: boolean
  }
}

export interface VerifyOptions {
  /** Base64 of the public key that must have sealed it; any other is a problem. */
  readonly expectKey?: string
  /** Base64 of the key of this installation: the answer says whether it is the one, and another is no problem. */
  readonly ownKey?: string
  /** Stop when the end of the file does not fit, without looking for what was hit: tens of times as fast on a small bundle. */
  readonly brief?: boolean
}

/** Bytes read at once, and of a text entry that has to be parsed. */
const READ = 1 << 20
const MAX_TEXT = 1 << 20

/** What was gathered of the entries. */
interface Inside {
  readonly files: ReadonlyMap<string, { readonly bytes: number; readonly sha256: string }>
  readonly texts: ReadonlyMap<string, string>
  readonly chain: ChainFacts | undefined
}

const PARSED: ReadonlyArray<string> = [ENTRY.mimetype, ENTRY.hashes, ENTRY.seal]

const hashUntil = async (source: ZipSource, end: number, signal: AbortSignal): Promise<string> => {
  const hash = createHash("sha256")
  for (let at = 0; at < end; at += READ) {
    signal.throwIfAborted()
    hash.update(await source.read(at, Math.min(READ, end - at)))
  }
  return hash.digest("hex")
}

const readEntry = async (entry: ZipEntry, take: (bytes: Buffer) => void, signal: AbortSignal) => {
  const hash = createHash("sha256")
  let bytes = 0
  for await (const part of (await entry.content()) as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    hash.update(part)
    bytes += part.length
    take(part)
  }
  return { bytes, sha256: hash.digest("hex") }
}

const lookInside = async (source: ZipSource, problems: Array<string>, signal: AbortSignal): Promise<Inside> => {
  const files = new Map<string, { readonly bytes: number; readonly sha256: string }>()
  const texts = new Map<string, string>()
  let chain: ChainFacts | undefined
  try {
    for await (const entry of zipEntries(source)) {
      if (files.has(entry.name)) problems.push(`${entry.name} is in the bundle twice.`)
      if (entry.index === 0 && (entry.name !== ENTRY.mimetype || !entry.stored || entry.offset !== 0)) {
        problems.push("The first entry is not an uncompressed mimetype.")
      }
      const reader = entry.name === ENTRY.events ? chainReader() : undefined
      const parts: Array<Buffer> = []
      let size = 0
      const take = (bytes: Buffer) => {
        reader?.push(bytes)
        if (!PARSED.includes(entry.name)) return
        size += bytes.length
        if (size > MAX_TEXT) throw new Error(`${entry.name} is larger than it can be`)
        parts.push(bytes)
      }
      files.set(entry.name, await readEntry(entry, take, signal))
      if (reader !== undefined) chain = reader.finish()
      if (parts.length > 0) texts.set(entry.name, Buffer.concat(parts).toString("utf8"))
    }
  } catch (cause) {
    signal.throwIfAborted()
    problems.push(`The archive cannot be read: ${describe(cause)}.`)
  }
  return { files, texts, chain }
}

const parse = <A>(schema: Schema.Decoder<A>, text: string | undefined): A | undefined =>
  text === undefined ? undefined : Option.getOrUndefined(Schema.decodeUnknownOption(Schema.fromJsonString(schema))(text))

/** Every entry is listed with its hash, and nothing else is there. */
const checkFiles = (inside: Inside, hashes: Hashes | undefined, problems: Array<string>): void => {
  if (hashes === undefined) {
    problems.push(`${ENTRY.hashes} is missing or is not what a bundle has.`)
    return
  }
  const listed = new Set(hashes.files.map(({ name }) => name))
  for (const { name, bytes, sha256 } of hashes.files) {
    const found = inside.files.get(name)
    if (found === undefined) problems.push(`${name} is missing.`)
    else if (found.bytes !== bytes || found.sha256 !== sha256) problems.push(`${name} was changed.`)
  }
  for (const name of inside.files.keys()) {
    if (!listed.has(name) && name !== ENTRY.hashes && name !== ENTRY.seal) problems.push(`${name} was added.`)
  }
  for (const name of [ENTRY.mimetype, ENTRY.manifest, ENTRY.events]) if (!listed.has(name)) problems.push(`${name} is not listed.`)
  if (inside.texts.get(ENTRY.mimetype) !== MEDIA_TYPE) problems.push(`The mimetype is not ${MEDIA_TYPE}.`)
}

const checkChain = (chain: ChainFacts | undefined, seal: Seal, problems: Array<string>): void => {
  if (chain === undefined) return
  problems.push(...chain.problems)
  if (chain.problems.length > 0) return
  if (chain.head !== seal.head || chain.events !== seal.events) {
    problems.push(`The events: ${chain.events} are there, ${seal.events} were sealed; the last one is not the sealed one.`)
  }
  if (chain.session !== seal.session) problems.push("The events are of another session than the seal.")
  if (chain.last !== "transcript.completed") problems.push("The events do not end with the transcript.")
}

const checkSeal = (inside: Inside, seal: Seal, comment: Comment | undefined, options: VerifyOptions, problems: Array<string>): void => {
  if (inside.files.get(ENTRY.manifest)?.sha256 !== seal.manifestSha256) problems.push(`${ENTRY.manifest} is not the sealed one.`)
  if (inside.files.get(ENTRY.hashes)?.sha256 !== seal.hashesSha256) problems.push(`${ENTRY.hashes} is not the sealed one.`)
  if (!isSignedBy(seal.publicKey, sealText(seal), seal.signature)) problems.push("The signature of the seal is wrong.")
  if (comment !== undefined && !isSignedBy(seal.publicKey, comment.text, comment.signature)) {
    problems.push("The signature at the end of the file is wrong, or of another key than the seal.")
  }
  if (options.expectKey !== undefined && options.expectKey !== seal.publicKey) {
    problems.push(`It was sealed by key ${seal.publicKey}, not by ${options.expectKey}.`)
  }
}

const verify = async (source: ZipSource, options: VerifyOptions, signal: AbortSignal): Promise<Verification> => {
  const problems: Array<string> = []
  const body = source.size - COMMENT_LENGTH
  const comment = body > 0 ? parseComment(await source.read(body, COMMENT_LENGTH)) : undefined
  if (comment === undefined) problems.push("The file does not end with the seal of a bundle: it was cut, added to, or is something else.")
  else if ((await hashUntil(source, body, signal)) !== comment.hash) problems.push("The file was changed after it was sealed.")

  if (options.brief === true && problems.length > 0) return { ok: false, checked: [], problems }

  const inside = await lookInside(source, problems, signal)
  // Without entries it is not an archive at all, which has been said.
  if (inside.files.size === 0) return { ok: false, checked: [], problems: problems.length > 0 ? problems : ["The archive is empty."] }
  checkFiles(inside, parse(Hashes, inside.texts.get(ENTRY.hashes)), problems)
  const seal = parse(Seal, inside.texts.get(ENTRY.seal))
  if (seal === undefined)
    return { ok: false, checked: [], problems: [...problems, `${ENTRY.seal} is missing or is not what a bundle has.`] }
  checkChain(inside.chain, seal, problems)
  checkSeal(inside, seal, comment, options, problems)

  const own = options.ownKey === undefined ? undefined : options.ownKey === seal.publicKey
  const whose = own === undefined ? "" : own ? " (of this installation)" : " (of another installation)"
  const checked = [
    `The file: all ${source.size} bytes are compared with the SHA-256 at its end, so a changed byte, a cut or an addition shows.`,
    `Its contents: each of the ${inside.files.size} entries (recording, transcripts, events) is compared with its own SHA-256.`,
    `Its history: ${seal.events} events, each holding the SHA-256 of the one before it, from the first to the sealed one.`,
    `Who sealed it: 2 signatures by the Ed25519 key ${seal.publicKey}${whose}. Compare that key with one you trust.`
  ]
  const facts = {
    publicKey: seal.publicKey,
    signature: seal.signature,
    events: seal.events,
    head: seal.head,
    session: seal.session,
    ...(own === undefined ? {} : { own })
  }
  return { ok: problems.length === 0, checked, problems, seal: facts }
}

const notReadable = (path: string) => (cause: unknown) => {
  const code = systemCode(cause)
  const missing = code === "ENOENT" || code === "ENOTDIR"
  return new Terminal({
    code: missing ? "input.missing" : "input.invalid",
    message: missing ? `${path} does not exist. Check the path.` : `${path} cannot be read: ${describe(cause)}.`,
    cause
  })
}

/** Checks a bundle in memory. */
export const verifyBytes = (bytes: Uint8Array, options: VerifyOptions = {}): Effect.Effect<Verification, Terminal> =>
  Effect.tryPromise({
    try: (signal) => verify(bufferSource(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)), options, signal),
    catch: notReadable("the bundle")
  })

/**
 * Checks the bundle at `path` in bounded memory.
 *
 * @returns what was checked and what is wrong; fails only when the path cannot be read.
 */
export const verifyBundle = (path: string, options: VerifyOptions = {}): Effect.Effect<Verification, Terminal> =>
  Effect.tryPromise({
    try: async (signal) => {
      const file = await open(path, "r")
      try {
        const facts = await file.stat()
        if (!facts.isFile()) throw new Error("it is not a file")
        return await verify(fileSource({ fd: file.fd, read: (...at) => file.read(...at) }, facts.size), options, signal)
      } finally {
        await file.close()
      }
    },
    catch: notReadable(path)
  })
