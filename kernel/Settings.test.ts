import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { load } from "./Settings.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "voxbus-settings-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("Settings", () => {
  it.effect("lays flags over the environment over the file over the defaults", () =>
    Effect.gen(function* () {
      const folder = yield* home
      writeFileSync(
        join(folder, "config.json"),
        JSON.stringify({ gateway: { port: 1 }, host: { cores: 3 }, session: { transcriber: { language: "de" } } })
      )
      const environment = { VOXBUS_HOME: folder, VOXBUS_CORES: "5", VOXBUS_GATEWAY_PORT: "2", VOXBUS_TRANSCRIBER_BEST_OF: "3" }
      const settings = yield* load(environment, { gateway: { port: 4 } })
      assert.strictEqual(settings.gateway.port, 4)
      assert.strictEqual(settings.cores, 5)
      assert.strictEqual(settings.session.transcriber.language, "de")
      assert.strictEqual(settings.session.transcriber.beamSize, 5)
      assert.strictEqual(settings.session.transcriber.bestOf, 3)
      assert.strictEqual(settings.outputFolder, join(folder, "output"))
    }).pipe(Effect.scoped)
  )

  it.effect("refuses what is wrong, and names it", () =>
    Effect.gen(function* () {
      const folder = yield* home
      for (const [file, name] of [
        [{ gateway: { port: 99_999 } }, "port"],
        [{ gatway: {} }, "gatway"],
        [{ session: { transcriber: { beamSize: "five" } } }, "beamSize"]
      ] as const) {
        writeFileSync(join(folder, "config.json"), JSON.stringify(file))
        const failure = yield* Effect.flip(load({ VOXBUS_HOME: folder }))
        assert.strictEqual(failure.code, "config.invalid")
        assert.include(failure.message, name)
      }
      writeFileSync(join(folder, "config.json"), "{ not json")
      assert.strictEqual((yield* Effect.flip(load({ VOXBUS_HOME: folder }))).code, "config.invalid")
    }).pipe(Effect.scoped)
  )

  it.effect("takes no keys, names everything that is wrong", () =>
    Effect.gen(function* () {
      const folder = yield* home
      writeFileSync(join(folder, "config.json"), JSON.stringify({ openaiApiKey: "k", gateway: { port: -1 } }))
      const failure = yield* Effect.flip(load({ VOXBUS_HOME: folder }))
      assert.strictEqual(failure.code, "config.invalid")
      assert.include(failure.message, "openaiApiKey")
      assert.include(failure.message, "port")
    }).pipe(Effect.scoped)
  )

  it.effect("migrates a file of version 1, and takes chains and addresses from the environment", () =>
    Effect.gen(function* () {
      const folder = yield* home
      writeFileSync(join(folder, "config.json"), JSON.stringify({ provider: { chatUrl: "http://localhost:1/v1", chatModel: "m" } }))
      const settings = yield* load({
        VOXBUS_HOME: folder,
        VOXBUS_SPEAKER_CHAIN: "elevenlabs, piper-local",
        OPENWEBUI_BASE_URL: "http://localhost:8080",
        OPENWEBUI_MODEL_NAME: "llama3",
        OPENWEBUI_KNOWLEDGE_COLLECTION_ID: "docs"
      })
      assert.deepInclude(settings.provider.chat, { url: "http://localhost:1/v1", model: "m" })
      assert.deepStrictEqual(settings.provider.speaker.chain, ["elevenlabs", "piper-local"])
      assert.deepInclude(settings.provider.openwebui, {
        url: "http://localhost:8080",
        model: "llama3",
        knowledge: "docs",
        timeoutSeconds: 60
      })
      assert.strictEqual(settings.version, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("reads the file again when it changed, and keeps the last valid one", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const path = join(folder, "config.json")
      const settings = yield* load({ VOXBUS_HOME: folder })
      const voice = Effect.map(settings.reload, (now) => now.provider.elevenlabs.voice)
      const before = yield* voice
      writeFileSync(path, JSON.stringify({ provider: { elevenlabs: { voice: "other" } } }))
      assert.strictEqual(yield* voice, "other")
      writeFileSync(path, "{ broken")
      assert.strictEqual(yield* voice, "other")
      rmSync(path)
      assert.strictEqual(yield* voice, before)
    }).pipe(Effect.scoped)
  )
})
