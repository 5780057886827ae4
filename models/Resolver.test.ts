import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { load, Settings } from "../kernel/Settings.ts"
import { ensureRoom } from "./Disk.ts"
import { importModel, nameOf } from "./ImportModel.ts"
import { partialFolder } from "./Installed.ts"
import { listModels, removeModel } from "./List.ts"
import { fetchModel } from "./Resolver.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "voxbus-models-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** Settings of an empty machine that has no network. */
const offline = (root: string) => load({ VOXBUS_HOME: join(root, "home"), VOXBUS_CACHE: join(root, "cache") }, { host: { offline: true } })

/** Runs with `changes` in the environment, which Python and tools are looked up in. */
const withEnvironment = <A, E, R>(changes: Readonly<Record<string, string>>, use: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = Object.keys(changes).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, changes)
      return before
    }),
    () => use,
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before)
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
      })
  )

describe("fetchModel", () => {
  it.live("names every source it tried, why each failed, and what to do", () =>
    Effect.gen(function* () {
      const settings = yield* offline(yield* folder)
      const failure = yield* Effect.flip(fetchModel("silero-vad").pipe(Effect.provideService(Settings, settings)))
      assert.strictEqual(failure.code, "network.offline")
      for (const part of ["silero_vad.onnx", "https://github.com/snakers4", "wheel silero-vad==6.2.3", "--from PATH"])
        assert.include(failure.message, part)
    })
  )

  it.live("says which Python was looked for when there is none", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const settings = { ...(yield* offline(root)), host: { ...(yield* offline(root)).host, offline: false } }
      const environment = { PATH: root, HTTPS_PROXY: "http://127.0.0.1:9" }
      const failure = yield* Effect.flip(
        withEnvironment(environment, fetchModel("silero-vad").pipe(Effect.provideService(Settings, settings)))
      )
      assert.strictEqual(failure.code, "model.sources")
      assert.include(failure.message, "no usable Python (python3: not found; python: not found)")
    })
  )

  it.live("takes a tool of the user's, if it is new enough", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const settings = yield* offline(root)
      const fetch = fetchModel("nats-server").pipe(Effect.provideService(Settings, settings))
      const tool = (version: string) =>
        Effect.promise(async () => {
          await writeFile(join(root, "nats-server"), `#!/bin/sh\necho nats-server: v${version}\n`)
          await chmod(join(root, "nats-server"), 0o755)
        })
      const environment = { NATS_SERVER_BIN: join(root, "nats-server") }
      yield* tool("2.9.25")
      const failure = yield* Effect.flip(withEnvironment(environment, fetch))
      assert.include(failure.message, "is 2.9.25, 2.12.0 or newer is needed")
      yield* tool("2.12.0")
      const model = yield* withEnvironment(environment, fetch)
      assert.strictEqual(model.path("binary"), join(root, "nats-server"))
      // When it is gone the model is not there any more.
      yield* Effect.promise(() => rm(join(root, "nats-server")))
      yield* Effect.flip(fetch)
    })
  )

  it.live("checks a local copy, and keeps nothing that is wrong", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const settings = yield* offline(root)
      yield* Effect.promise(() => writeFile(join(root, "silero_vad.onnx"), "not the model"))
      const failure = yield* Effect.flip(fetchModel("silero-vad", { from: root }).pipe(Effect.provideService(Settings, settings)))
      assert.strictEqual(failure.code, "model.checksum")
      assert.isFalse(existsSync(join(partialFolder(settings.cache, "silero-vad"), "silero_vad.onnx")))
      const missing = yield* Effect.flip(
        fetchModel("silero-vad", { from: join(root, "no") }).pipe(Effect.provideService(Settings, settings))
      )
      assert.include(missing.message, "does not exist")
    })
  )

  it.live("knows no other names", () =>
    Effect.gen(function* () {
      const settings = yield* offline(yield* folder)
      const failure = yield* Effect.flip(fetchModel("whisper-huge").pipe(Effect.provideService(Settings, settings)))
      assert.strictEqual(failure.code, "model.missing")
      assert.include(failure.message, "models import")
    })
  )
})

describe("free space", () => {
  it.effect("is asked for before, in megabytes a person can act on", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(ensureRoom("/some/cache", 300_000_000, "whisper-base", () => Promise.resolve(120_000_000)))
      assert.strictEqual(failure.code, "disk.full")
      for (const part of ["whisper-base", "400 MB", "120 MB", "/some/cache", "VOXBUS_CACHE"]) assert.include(failure.message, part)
      yield* ensureRoom("/some/cache", 300_000_000, "whisper-base", () => Promise.reject(new Error("no statfs")))
    })
  )
})

/** A Whisper folder whose model has no variables: enough to be imported. */
const whisperFolder = async (path: string) => {
  await mkdir(path, { recursive: true })
  await writeFile(join(path, "model.bin"), Buffer.concat([Buffer.from([6, 0, 0, 0, 12, 0]), Buffer.from("WhisperSpec\0"), Buffer.alloc(8)]))
  for (const name of ["config.json", "tokenizer.json", "vocabulary.txt"]) await writeFile(join(path, name), "{}")
}

describe("importModel", () => {
  it.live("installs a folder as it is, lists it and removes it", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const settings = yield* offline(root)
      yield* Effect.promise(() => whisperFolder(join(root, "My Whisper")))
      const run = Effect.gen(function* () {
        const model = yield* importModel(join(root, "My Whisper"))
        assert.deepStrictEqual([model.name, model.kind, model.bytes], ["my-whisper", "whisper-ct2", 26])
        assert.strictEqual(yield* Effect.promise(() => readFile(model.path("tokenizer"), "utf8")), "{}")
        assert.isTrue((yield* listModels()).some((listed) => listed.name === "my-whisper" && listed.installed))
        const conversion = yield* Effect.flip(fetchModel("my-whisper-ggml"))
        assert.strictEqual(conversion.code, "model.unsupported")
        assert.isAbove(yield* removeModel("my-whisper"), 26)
      })
      yield* run.pipe(Effect.provideService(Settings, settings))
      assert.isTrue(existsSync(join(root, "My Whisper", "model.bin")))
    })
  )

  it.live("says what is missing or wrong", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const settings = yield* offline(root)
      const refused = (path: string, options = {}) =>
        Effect.flip(importModel(path, options).pipe(Effect.provideService(Settings, settings)))
      const path = join(root, "w")
      assert.strictEqual((yield* refused(path)).code, "input.missing")
      yield* Effect.promise(() => whisperFolder(path))
      assert.include((yield* refused(path, { name: "whisper-base" })).message, "--name")
      yield* Effect.promise(() => writeFile(join(path, "model.bin"), "PK not a model"))
      assert.include((yield* refused(path)).message, "not a CTranslate2 model")
      yield* Effect.promise(() => rm(join(path, "tokenizer.json")))
      assert.include((yield* refused(path)).message, "tokenizer.json is missing")
    })
  )

  it("names a model of the Hugging Face cache after its repository", () => {
    assert.strictEqual(
      nameOf("/x/models--Systran--faster-whisper-small/snapshots/536b0662742c02347bc0e980a01041f333bce120"),
      "faster-whisper-small"
    )
  })
})
