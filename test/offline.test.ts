/**
 * Offline mode: every way out of the machine is refused, and the refusal names where it would have gone. The address is
 * of a block for documentation, so that a test which failed would reach nobody.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Engines as Reasoners } from "../actors/reasoner/index.ts"
import { Engines as Speakers } from "../actors/speaker/index.ts"
import { Engines as Transcribers } from "../actors/transcriber/Engines.ts"
import { defaultSessionConfig } from "../contract/Session.ts"
import { locateModel, Models } from "../kernel/Models.ts"
import { networkPolicy } from "../kernel/Network.ts"
import { load, Settings } from "../kernel/Settings.ts"
import { failureOf } from "../kernel/testkit/ProviderTest.ts"
import { freeCores } from "../kernel/testkit/Testkit.ts"
import { ask, endpointOf, NAMES } from "../launcher/providers/Endpoints.ts"
import { freshHome } from "./support/program.ts"
import { cache } from "./support/server.ts"

const FAR = "https://192.0.2.1"
const provider = {
  chat: { url: `${FAR}/v1` },
  openwebui: { url: FAR },
  openai: { url: `${FAR}/v1` },
  elevenlabs: { url: FAR }
}

/** The engines of an offline host whose providers are all on another machine. */
const offline = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "voxbus-offline-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    yield* networkPolicy(true)
    const settings = Layer.effect(
      Settings,
      load({ VOXBUS_HOME: home, VOXBUS_CACHE: cache, VOXBUS_KEYRING: "off" }, { provider, host: { offline: true } })
    )
    const engines = Layer.mergeAll(Reasoners.layer, Speakers.layer, Transcribers.layer).pipe(
      Layer.provideMerge(Layer.mergeAll(Models.layer, freeCores(1))),
      Layer.provideMerge(settings)
    )
    return yield* test.pipe(Effect.provide(engines))
  }).pipe(Effect.scoped)

const refused = (failure: { readonly code: string; readonly message: string }) => {
  assert.match(failure.message, /192\.0\.2\.1/)
  assert.include(["network.offline", "speech.unavailable"], failure.code, failure.message)
  assert.include(failure.message, "Offline mode refused")
}

describe("offline mode", () => {
  it.live("refuses every provider, and every question to one", () =>
    offline(
      Effect.gen(function* () {
        const [reasoners, speakers, transcribers] = [yield* Reasoners, yield* Speakers, yield* Transcribers]
        const question = { messages: [{ role: "user", content: "q" }], maxTokens: 9, temperature: 0, model: "m", prefix: "" } as const
        for (const name of ["openwebui", "openai-compatible"] as const)
          refused(yield* failureOf(Stream.runDrain(reasoners.pick(name).reply(question))))
        for (const name of ["elevenlabs", "openai-speech"] as const)
          refused(yield* failureOf(speakers.pick(name).synthesize({ text: "Hello.", voice: "piper-en-us-joe", speed: 1 })))
        const options = { ...defaultSessionConfig.transcriber, engine: "openai" as const }
        const openai = yield* transcribers.pick(options)
        refused(yield* failureOf(openai.transcribe({ lane: "interactive", pcm: new Uint8Array(32_000), start: 0, speech: [], options })))
        for (const name of NAMES) refused(yield* failureOf(Effect.flatMap(endpointOf(name), (endpoint) => ask(name, endpoint))))
      })
    )
  )

  it("refuses a bus on another machine, and to fetch a model", async () => {
    const program = freshHome({
      VOXBUS_OFFLINE: "true",
      NATS_URL: "nats://192.0.2.1:4222",
      VOXBUS_CACHE: mkdtempSync(join(tmpdir(), "voxbus-empty-"))
    })
    const bus = await program.run("events")
    assert.strictEqual(bus.code, 6, bus.stderr)
    assert.match(bus.stderr, /192\.0\.2\.1.*\n.*network\.offline/)
    const worker = await program.run("run", "transcriber", "--bus", "nats://192.0.2.1:4222")
    assert.strictEqual(worker.code, 6, worker.stderr)
    const model = await program.run("models", "fetch", "whisper-tiny.en")
    assert.strictEqual(model.code, 6, model.stderr)
    assert.include(model.stderr, "network.offline")
    rmSync(program.environment["VOXBUS_CACHE"] ?? "", { recursive: true })
    program.remove()
  })

  it("the speech engine's Python opens no connection, offline or not", async () => {
    const python = await Effect.runPromise(locateModel(cache, "python-ctranslate2"))
    const folder = fileURLToPath(new URL("../actors/transcriber/engines/", import.meta.url))
    // What a library would do: the worker's first lines, then a connection.
    const source = `import sys, urllib.request
text = open(${JSON.stringify(`${folder}ctranslate2_worker.py`)}).read()
exec(text[text.index("def refuse_connections"):text.index("def stub")])
urllib.request.urlopen("http://192.0.2.1/", timeout=2)`
    const said = await new Promise<string>((resolve) => {
      execFile(python.path("python"), ["-s", "-c", source], (_error, _stdout, stderr) => resolve(stderr))
    })
    assert.include(said, "The speech engine opens no connections")
  })
})
