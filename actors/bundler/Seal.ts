/**
 * What makes a bundle tamper-evident, shared by the writer and the verifier. Three layers, outermost first:
 *
 * 1. The last bytes of the file are the ZIP comment `vtb1 sha256=<hex> sig=<base64>`: the hash of every byte before it,
 *    signed. No byte of the ZIP structure is outside it, so no change and no cut goes unnoticed.
 * 2. `META-INF/hashes.json` has the SHA-256 of every entry, and `META-INF/seal.json` signs it.
 * 3. Each line of `META-INF/events.jsonl` ends in `"hash"` = SHA-256(hash of the line before + the line without it), and the
 *    seal signs the last hash and the count: no event can be taken out, added or moved.
 *
 * A signature says that the holder of a key sealed these bytes; whose key it is, the reader must know.
 */
import * as Schema from "effect/Schema"
import { createHash, createPublicKey, verify } from "node:crypto"

export const ENTRY = {
  mimetype: "mimetype",
  manifest: "META-INF/manifest.json",
  hashes: "META-INF/hashes.json",
  recording: "audio/recording.opus",
  events: "META-INF/events.jsonl",
  seal: "META-INF/seal.json"
} as const

export const MEDIA_TYPE = "application/x-vtb"

const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
const Base64 = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9+/]+={0,2}$/))

/** Content of `META-INF/hashes.json`: every entry but itself and the seal. */
export const Hashes = Schema.Struct({
  algorithm: Schema.Literal("SHA-256"),
  files: Schema.Array(Schema.Struct({ name: Schema.String, bytes: Schema.Int, sha256: Sha256 }))
})
export type Hashes = typeof Hashes.Type

/** Content of `META-INF/seal.json`. */
export const Seal = Schema.Struct({
  format: Schema.Literal("vtb1"),
  session: Schema.String,
  /** Hash of the last event, and how many there are. */
  head: Sha256,
  events: Schema.Int,
  manifestSha256: Sha256,
  hashesSha256: Sha256,
  algorithm: Schema.Literal("Ed25519"),
  /** The 32 bytes of the key. */
  publicKey: Base64,
  /** Over `sealText`. */
  signature: Base64
})
export type Seal = typeof Seal.Type

/** Who can sign: the key of this installation. */
export interface Signer {
  /** Base64 of the 32 bytes. */
  readonly publicKey: string
  /** Base64 of the Ed25519 signature over the UTF-8 of `text`. */
  readonly sign: (text: string) => string
}

export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

/** The text whose signature is in the seal: its facts, a line each. */
export const sealText = (seal: Omit<Seal, "signature" | "format" | "algorithm">): string =>
  [
    "vtb1 seal",
    `session=${seal.session}`,
    `head=${seal.head}`,
    `events=${seal.events}`,
    `manifest=${seal.manifestSha256}`,
    `hashes=${seal.hashesSha256}`,
    `key=${seal.publicKey}`
  ].join("\n")

/** True only for the one way to write `signature` in base64 (its last character has bits that do not count). */
export const isSignedBy = (publicKey: string, text: string, signature: string): boolean => {
  const [key, bytes] = [Buffer.from(publicKey, "base64"), Buffer.from(signature, "base64")]
  if (key.length !== 32 || key.toString("base64") !== publicKey) return false
  if (bytes.length !== 64 || bytes.toString("base64") !== signature) return false
  try {
    const imported = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") }, format: "jwk" })
    return verify(null, Buffer.from(text), imported, bytes)
  } catch {
    // Not a point of the curve.
    return false
  }
}

/** Bytes of the comment: it is fixed, so that the hash covers the length field in front of it. */
export const COMMENT_LENGTH = 169
const COMMENT = /^vtb1 sha256=([0-9a-f]{64}) sig=([A-Za-z0-9+/]{86}==)$/

const commentText = (hash: string): string => `vtb1 sha256=${hash}`

/** @param hash SHA-256 of every byte before the comment. */
export const makeComment = (hash: string, signer: Signer): string => `${commentText(hash)} sig=${signer.sign(commentText(hash))}`

export interface Comment {
  readonly hash: string
  readonly signature: string
  /** What was signed. */
  readonly text: string
}

/** `undefined` unless `bytes` have exactly the form of a comment. */
export const parseComment = (bytes: Uint8Array): Comment | undefined => {
  const [, hash, signature] = COMMENT.exec(Buffer.from(bytes).toString("latin1")) ?? []
  return hash === undefined || signature === undefined ? undefined : { hash, signature, text: commentText(hash) }
}

/** Before the first event. */
export const GENESIS = "0".repeat(64)

const HASH_FIELD = ',"hash":"'
const HASHED = /^(.*),"hash":"([0-9a-f]{64})"\}$/

/** The line of one event (a JSON object that is not empty) after a line with the hash `previous`. */
export const chainLine = (previous: string, record: object): { readonly line: string; readonly hash: string } => {
  const canonical = JSON.stringify(record)
  const hash = sha256(previous + canonical)
  return { line: `${canonical.slice(0, -1)}${HASH_FIELD}${hash}"}`, hash }
}

/** Takes a line apart again; `fits` says whether its hash follows from `previous`. */
export const unchainLine = (previous: string, line: string): { readonly hash: string; readonly fits: boolean } | undefined => {
  const [, body, hash] = HASHED.exec(line) ?? []
  return body === undefined || hash === undefined ? undefined : { hash, fits: sha256(`${previous}${body}}`) === hash }
}
