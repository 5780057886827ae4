import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { findKey, masked, removeKey, storeKey, withoutKeys } from "./Keys.ts"
import { open, seal } from "./SealedFile.ts"
import { load, Settings } from "./Settings.ts"

const KEY = "sk-planted-key-0123456789"
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "voxbus-keys-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)
/** The keyring of the machine that tests is not touched. */
const withHome = <A, E>(test: (home: string) => Effect.Effect<A, E, Settings>) =>
  Effect.gen(function* () {
    const home = yield* folder
    const layer = Layer.effect(Settings, load({ VOXBUS_HOME: home, VOXBUS_KEYRING: "off" }))
    return yield* test(home).pipe(Effect.provide(layer))
  }).pipe(Effect.scoped)

describe("keys", () => {
  it.effect("keeps a key sealed, private and out of everything that prints", () =>
    withHome((home) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* findKey("openai"))
        assert.strictEqual(yield* storeKey("openai", Redacted.make(KEY)), "file")
        yield* storeKey("elevenlabs", Redacted.make("other"))
        const found = yield* findKey("openai")
        assert(found !== undefined)
        assert.strictEqual(Redacted.value(found.key), KEY)
        assert.strictEqual(found.place, "file")
        for (const text of [inspect(found), JSON.stringify(found), String(found.key)]) assert.notInclude(text, "planted")
        assert.strictEqual(masked(found.key), "...6789")
        assert.strictEqual(masked(Redacted.make("short")), "...")
        for (const name of readdirSync(home)) {
          assert.strictEqual(statSync(join(home, name)).mode & 0o777, 0o600, name)
          assert.notInclude(readFileSync(join(home, name), "utf8"), "planted")
        }
        assert.isTrue(yield* removeKey("openai"))
        assert.isFalse(yield* removeKey("openai"))
        assert.isTrue(yield* removeKey("elevenlabs"))
        assert.deepStrictEqual(readdirSync(home), [])
      })
    )
  )

  it.effect("notices a file that was changed, and names swapped values", () =>
    withHome((home) =>
      Effect.gen(function* () {
        const files = { secret: join(home, "s"), sealed: join(home, "f") }
        seal(files, { a: "1", b: "2" })
        assert.deepStrictEqual(open(files), { a: "1", b: "2" })
        const file = JSON.parse(readFileSync(files.sealed, "utf8"))
        writeFileSync(files.sealed, JSON.stringify({ ...file, values: { a: file.values.b, b: file.values.a } }))
        assert.throws(() => open(files))
        yield* storeKey("openai", Redacted.make(KEY))
        writeFileSync(join(home, "keys.secret"), Buffer.alloc(32, 1).toString("base64"))
        const failure = yield* Effect.flip(findKey("openai"))
        assert.strictEqual(failure.code, "key.unreadable")
        assert.notInclude(failure.message, "planted")
        chmodSync(home, 0o700)
      })
    )
  )

  it("gives foreign programs an environment without keys", () => {
    assert.deepStrictEqual(
      withoutKeys({ PATH: "p", OPENAI_API_KEY: KEY, VOXBUS_CHAT_API_KEY: KEY, ELEVENLABS_API_KEY: KEY, OPENWEBUI_API_KEY: KEY }),
      {
        PATH: "p"
      }
    )
  })
})
