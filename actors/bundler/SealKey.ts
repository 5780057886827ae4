/**
 * The key this installation seals bundles with: Ed25519, made at first use in `$VOXBUS_HOME/keys/seal.ed25519` (PKCS8
 * PEM, readable by its owner only). Two processes that make it at once end up with the same one: each writes its own
 * file and links it to the name, and only the first link succeeds.
 */
import * as Effect from "effect/Effect"
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, type KeyObject } from "node:crypto"
import { link, mkdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { type Retryable, systemCode, Terminal } from "../../kernel/Failure.ts"
import { onDisk, syncFolder, writeAll, writing } from "./Files.ts"
import type { Signer } from "./Seal.ts"

export const sealKeyPath = (home: string): string => join(home, "keys", "seal.ed25519")

const publicKeyOf = (key: KeyObject): string =>
  Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url").toString("base64")

/** A signer from a PKCS8 PEM. Throws when it is not an Ed25519 key. */
export const signerFrom = (pem: string): Signer => {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`it is a key for ${key.asymmetricKeyType ?? "something else"}`)
  return { publicKey: publicKeyOf(key), sign: (text) => sign(null, Buffer.from(text), key).toString("base64") }
}

const read = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT") return undefined
    throw cause
  })

const create = async (home: string): Promise<string> => {
  const folder = join(home, "keys")
  const path = sealKeyPath(home)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `.seal-${process.pid}-${randomUUID()}`)
  const pem = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString()
  try {
    await writing(temporary, async (file) => {
      await file.chmod(0o600)
      await writeAll(file, Buffer.from(pem))
    })
    await link(temporary, path).catch((cause: unknown) => {
      if (systemCode(cause) !== "EEXIST") throw cause
    })
    await syncFolder(folder)
  } finally {
    await rm(temporary, { force: true })
  }
  return readFile(path, "utf8")
}

const parse = (home: string, pem: string): Effect.Effect<Signer, Terminal> =>
  Effect.try({
    try: () => signerFrom(pem),
    catch: (cause) =>
      new Terminal({
        code: "config.invalid",
        message: `${sealKeyPath(home)} is not an Ed25519 private key in PEM. Restore it, or move it away and a new one is made.`,
        cause
      })
  })

/** The key of this home, made when there is none. */
export const loadSigner = (home: string): Effect.Effect<Signer, Retryable | Terminal> =>
  onDisk(sealKeyPath(home), async () => (await read(sealKeyPath(home))) ?? (await create(home))).pipe(
    Effect.flatMap((pem) => parse(home, pem))
  )

/** The public half, if this home has sealed anything yet; never makes a key. */
export const ownPublicKey = (home: string): Effect.Effect<string | undefined, Retryable | Terminal> =>
  onDisk(sealKeyPath(home), () => read(sealKeyPath(home))).pipe(
    Effect.flatMap((pem) => (pem === undefined ? Effect.succeed(undefined) : Effect.map(parse(home, pem), ({ publicKey }) => publicKey)))
  )
