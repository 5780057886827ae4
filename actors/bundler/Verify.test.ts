import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { generateKeyPairSync } from "node:crypto"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { ZipFile } from "yazl"
import { EXPORTERS } from "./exports/registry.ts"
import { COMMENT_LENGTH, makeComment, sha256, type Signer } from "./Seal.ts"
import { signerFrom } from "./SealKey.ts"
import { chunk, completed, logOf, opened, rejected, transcript, transcriptCompleted } from "./Specimen.ts"
import { verifyBundle, verifyBytes } from "./Verify.ts"
import { writeBundle, type BundleContent } from "./Vtb.ts"

const newSigner = (): Signer => signerFrom(generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString())
const signer = newSigner()

const inFolder = <A, E>(use: (folder: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "vtb-"))),
    use,
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )

const content: BundleContent = {
  opened,
  transcript,
  exports: EXPORTERS.map((exporter) => ({ name: `transcript.${exporter.extension}`, bytes: Buffer.from(exporter.render(transcript)) })),
  beside: [],
  events: logOf([opened, chunk(1, 0, 4, [[0.5, 3.5]]), completed(1, 4, 3), rejected(1, 0, 4, "marker"), transcriptCompleted])
}

/** A whole bundle with a recording of 40 bytes that are not really Opus. */
const specimen = (by: Signer, of: BundleContent = content) =>
  inFolder((folder) =>
    Effect.gen(function* () {
      const recording = Buffer.from("OggS".repeat(10))
      const written = yield* writeBundle(join(folder, "x.vtb"), { ...of, recording }, by)
      const bytes = yield* Effect.promise(() => readFile(join(folder, "x.vtb")))
      return { written, bytes }
    })
  )

/** A bundle with the same entries whose end fits again: what somebody with another key can do. */
const reseal = (bytes: Buffer, by: Signer): Buffer => {
  const body = bytes.subarray(0, bytes.length - COMMENT_LENGTH)
  return Buffer.concat([body, Buffer.from(makeComment(sha256(body), by), "latin1")])
}

describe("verify", () => {
  it.effect("accepts what was written, and says who sealed it", () =>
    Effect.gen(function* () {
      const { written, bytes } = yield* specimen(signer)
      const result = yield* verifyBytes(bytes, { ownKey: signer.publicKey, expectKey: signer.publicKey })
      assert.deepStrictEqual(result.problems, [])
      assert.isTrue(result.ok)
      assert.deepStrictEqual(result.seal, {
        publicKey: signer.publicKey,
        signature: written.seal.signature,
        events: 5,
        head: written.seal.head,
        session: transcript.session,
        own: true
      })
      assert.strictEqual(written.sha256, sha256(bytes))
      assert.strictEqual(written.bytes, bytes.length)
      assert.strictEqual(bytes.subarray(30, 38 + 17).toString(), "mimetypeapplication/x-vtb")
    })
  )

  it.effect("writes the same bytes for the same content", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* specimen(signer), yield* specimen(signer)]
      assert.isTrue(one.bytes.equals(two.bytes))
    })
  )

  it.effect(
    "finds every changed byte",
    () =>
      Effect.gen(function* () {
        const { bytes } = yield* specimen(signer)
        const missed: Array<string> = []
        for (let index = 0; index < bytes.length; index++) {
          // Every bit of every byte; and with all checks where the structure is, and on a sample of the rest.
          const thorough = index % 16 === 0 || index > bytes.length - 600
          for (let mask = 1; mask < 256; mask *= 2) {
            const changed = Buffer.from(bytes)
            changed[index] = (changed[index] ?? 0) ^ mask
            const options = { brief: !(thorough && mask === 1) }
            if ((yield* verifyBytes(changed, options)).ok) missed.push(`${index}^${mask}`)
          }
        }
        assert.deepStrictEqual(missed, [])
      }),
    60_000
  )

  it.effect("finds every cut and every addition", () =>
    Effect.gen(function* () {
      const { bytes } = yield* specimen(signer)
      const missed: Array<number> = []
      for (let length = 0; length < bytes.length; length++) if ((yield* verifyBytes(bytes.subarray(0, length))).ok) missed.push(length)
      for (let length = 1; length < bytes.length; length += 7) if ((yield* verifyBytes(bytes.subarray(length))).ok) missed.push(-length)
      for (const more of [Buffer.from([0]), Buffer.from("\n"), bytes.subarray(-COMMENT_LENGTH), bytes]) {
        if ((yield* verifyBytes(Buffer.concat([bytes, more]))).ok) missed.push(bytes.length + more.length)
        if ((yield* verifyBytes(Buffer.concat([more, bytes]))).ok) missed.push(-bytes.length - more.length)
      }
      assert.deepStrictEqual(missed, [])
    })
  )

  it.effect("does not trust the end of the file alone: the entries are checked by themselves", () =>
    Effect.gen(function* () {
      const { bytes } = yield* specimen(signer)
      // A stored entry can be changed in place; the key's owner then signs the end again.
      const changed = Buffer.from(bytes)
      changed.write("Evil", changed.indexOf("OggS"))
      const result = yield* verifyBytes(reseal(changed, signer))
      assert.deepStrictEqual(result.problems, ["audio/recording.opus was changed."])
    })
  )

  it.effect("refuses an end signed with another key than the seal, and names the key of a bundle sealed anew", () =>
    Effect.gen(function* () {
      const other = newSigner()
      const { bytes } = yield* specimen(signer)
      assert.isFalse((yield* verifyBytes(reseal(bytes, other))).ok)
      const forged = (yield* specimen(other)).bytes
      const foreign = yield* verifyBytes(forged, { ownKey: signer.publicKey })
      assert.isTrue(foreign.ok)
      assert.isFalse(foreign.seal?.own)
      assert.strictEqual(foreign.seal?.publicKey, other.publicKey)
      const insisted = yield* verifyBytes(forged, { expectKey: signer.publicKey })
      assert.deepStrictEqual(insisted.problems, [`It was sealed by key ${other.publicKey}, not by ${signer.publicKey}.`])
    })
  )

  it.effect("finds an event of another order, session or kind even when it is sealed", () =>
    Effect.gen(function* () {
      const { events } = content
      const reversed = yield* specimen(signer, { ...content, events: events.toReversed() })
      assert.match((yield* verifyBytes(reversed.bytes)).problems.join(), /line 2 is out of order/)
      const endless = yield* specimen(signer, { ...content, events: events.slice(0, -1) })
      assert.match((yield* verifyBytes(endless.bytes)).problems.join(), /do not end with the transcript/)
    })
  )

  it.effect("answers to garbage with problems, and neither throws nor hangs", () =>
    Effect.gen(function* () {
      const { bytes } = yield* specimen(signer)
      let seed = 42
      const random = (below: number) => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
        return Math.floor((seed / 2 ** 32) * below)
      }
      for (let round = 0; round < 1_500; round++) {
        let garbage: Buffer = Buffer.from(bytes)
        if (round % 3 === 0) garbage = Buffer.from(Array.from({ length: random(600) }, () => random(256)))
        // Structure is where parsers break: hit the directory at the end, and fix the outer hash so that all of it is read.
        else
          for (let hits = 1 + random(6); hits > 0; hits--)
            garbage[garbage.length - 1 - random(round % 2 === 0 ? 1_200 : garbage.length)] = random(256)
        if (round % 3 === 2) garbage = reseal(garbage, signer)
        const result = yield* verifyBytes(garbage)
        if (result.ok && !garbage.equals(bytes) && round % 3 !== 2) assert.fail(`round ${round} was accepted`)
      }
    })
  )

  it.effect("refuses what claims to unpack to gigabytes, and archives of many entries", () =>
    Effect.gen(function* () {
      const { bytes } = yield* specimen(signer)
      const bomb = Buffer.from(bytes)
      // Uncompressed size of the manifest, in the central directory: 24 bytes into its record, 46 before its name.
      bomb.writeUInt32LE(0x7fff_ffff, bomb.lastIndexOf("META-INF/manifest.json") - 46 + 24)
      assert.match((yield* verifyBytes(reseal(bomb, signer))).problems.join(), /unpack to more than/)
      const zip = new ZipFile()
      for (let index = 0; index < 100; index++) zip.addBuffer(Buffer.from("x"), `file${index}`)
      zip.end()
      const many = yield* Effect.promise(() => buffer(zip.outputStream))
      assert.match((yield* verifyBytes(many)).problems.join(), /lists 100 entries/)
    })
  )

  it.effect("reads files, and says what is wrong with a path", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const { bytes } = yield* specimen(signer)
        const path = join(folder, "x.vtb")
        yield* Effect.promise(() => writeFile(path, bytes))
        assert.isTrue((yield* verifyBundle(path)).ok)
        yield* Effect.promise(() => writeFile(path, bytes.subarray(0, 1000)))
        assert.isFalse((yield* verifyBundle(path)).ok)
        yield* Effect.promise(() => writeFile(path, ""))
        assert.isFalse((yield* verifyBundle(path)).ok)
        assert.strictEqual((yield* Effect.flip(verifyBundle(join(folder, "none.vtb")))).code, "input.missing")
        assert.strictEqual((yield* Effect.flip(verifyBundle(folder))).code, "input.invalid")
      })
    )
  )
})
