import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isSignedBy } from "./Seal.ts"
import { loadSigner, ownPublicKey, sealKeyPath } from "./SealKey.ts"

const home = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "seal-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
)

describe("the key of the seal", () => {
  it.effect("is made once, however many make it at the same time, and is its owner's alone", () =>
    Effect.gen(function* () {
      const folder = yield* home
      assert.isUndefined(yield* ownPublicKey(folder))
      const signers = yield* Effect.all(
        Array.from({ length: 12 }, () => loadSigner(folder)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(signers.map(({ publicKey }) => publicKey)).size, 1)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(folder, "keys"))), ["seal.ed25519"])
      assert.strictEqual((yield* Effect.promise(() => stat(sealKeyPath(folder)))).mode & 0o777, 0o600)
      assert.strictEqual(yield* ownPublicKey(folder), signers[0]?.publicKey)
      const signature = signers[0]?.sign("text") ?? ""
      assert.isTrue(isSignedBy(signers[5]?.publicKey ?? "", "text", signature))
      assert.isFalse(isSignedBy(signers[5]?.publicKey ?? "", "text!", signature))
    })
  )

  it.effect("is never replaced when it cannot be read", () =>
    Effect.gen(function* () {
      const folder = yield* home
      yield* Effect.promise(() => mkdir(join(folder, "keys")))
      yield* Effect.promise(() => writeFile(sealKeyPath(folder), "not a key"))
      assert.strictEqual((yield* Effect.flip(loadSigner(folder))).code, "config.invalid")
    })
  )
})
