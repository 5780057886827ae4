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
      const environment = { VOXBUS_HOME: folder, VOXBUS_CORES: "5", VOXBUS_GATEWAY_PORT: "2" }
      const settings = yield* load(environment, { gateway: { port: 4 } })
      assert.strictEqual(settings.gateway.port, 4)
      assert.strictEqual(settings.cores, 5)
      assert.strictEqual(settings.session.transcriber.language, "de")
      assert.strictEqual(settings.session.transcriber.beamSize, 5)
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

  it.effect("reads keys from the environment only", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const settings = yield* load({ VOXBUS_HOME: folder, OPENWEBUI_API_KEY: "k" })
      assert.strictEqual(settings.chatApiKey, "k")
      writeFileSync(join(folder, "config.json"), JSON.stringify({ chatApiKey: "k" }))
      assert.strictEqual((yield* Effect.flip(load({ VOXBUS_HOME: folder }))).code, "config.invalid")
    }).pipe(Effect.scoped)
  )
})
