/**
 * A file of names and secrets, each value sealed by AES-256-GCM under a key that HKDF derives from 32 random bytes in a
 * file beside it. Both are 0600 and replaced as a whole. It keeps keys out of backups, shells and accidental reading of
 * one file; whoever can read both files as this user can read the keys, as with any keyring that is unlocked.
 */
import * as Schema from "effect/Schema"
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

export interface SealedFiles {
  /** 32 random bytes, base64. */
  readonly secret: string
  readonly sealed: string
}

const NONCE = 12
const TAG = 16
const Sealed = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    /** Of HKDF, base64. */
    salt: Schema.String,
    /** Name to base64 of nonce, tag and ciphertext; the name is authenticated too. */
    values: Schema.Record(Schema.String, Schema.String)
  })
)

const derive = (secret: Buffer, salt: Buffer) => Buffer.from(hkdfSync("sha256", secret, salt, "voxbus keys", 32))

/** 0600 from its first byte on, and never half written. */
const write = (path: string, text: string) => {
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, path)
  chmodSync(path, 0o600)
}

/** All secrets by name; throws when a file was changed. */
export const open = ({ secret, sealed }: SealedFiles): Readonly<Record<string, string>> => {
  if (!existsSync(sealed)) return {}
  const { salt, values } = Schema.decodeUnknownSync(Sealed)(readFileSync(sealed, "utf8"))
  const key = derive(Buffer.from(readFileSync(secret, "utf8"), "base64"), Buffer.from(salt, "base64"))
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => {
      const bytes = Buffer.from(text, "base64")
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE), { authTagLength: TAG })
      decipher.setAAD(Buffer.from(name))
      decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
      return [name, Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString("utf8")]
    })
  )
}

/** Replaces all secrets; with none left, both files go. */
export const seal = ({ secret, sealed }: SealedFiles, secrets: Readonly<Record<string, string>>): void => {
  if (Object.keys(secrets).length === 0) {
    rmSync(sealed, { force: true })
    rmSync(secret, { force: true })
    return
  }
  mkdirSync(dirname(sealed), { recursive: true, mode: 0o700 })
  if (!existsSync(secret)) write(secret, randomBytes(32).toString("base64"))
  const salt = randomBytes(16)
  const key = derive(Buffer.from(readFileSync(secret, "utf8"), "base64"), salt)
  const values = Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG })
      cipher.setAAD(Buffer.from(name))
      const text = Buffer.concat([cipher.update(value, "utf8"), cipher.final()])
      return [name, Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64")]
    })
  )
  write(sealed, JSON.stringify({ version: 1, salt: salt.toString("base64"), values }, null, 2))
}
