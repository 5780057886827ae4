/**
 * The registry of engines: one line each, and which one a session gets.
 *
 * `auto` is the configured chain; without one CTranslate2 where its Python is set up and has the model, else whisper.cpp:
 * asked for each request, so that what `voxbus models fetch` brings is used without a restart. An engine that is named is
 * used or fails.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TranscriberOptions } from "../../contract/Session.ts"
import { type Chain, makeChain } from "../../kernel/Chain.ts"
import type { Cores } from "../../kernel/Cores.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { findKey } from "../../kernel/Keys.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Engine } from "./Engine.ts"
import { make as makeCtranslate2 } from "./engines/ctranslate2.ts"
import { LONGEST_REMOTE, makeOpenAi } from "./engines/openai.ts"
import { testkit } from "./engines/testkit.ts"
import { make as makeWhisperCpp, modelName } from "./engines/whispercpp.ts"
import * as Windows from "./Windows.ts"

type Options = Pick<TranscriberOptions, "engine" | "model">
type Named = Exclude<TranscriberOptions["engine"], "auto">

/** OpenAI's own service wants a key; another server with its endpoints may do without. */
const openAiSettings = Effect.gen(function* () {
  const { url, transcriptionModel, transcriptionTimeoutSeconds } = (yield* Settings.current).provider.openai
  const key = (yield* findKey("openai"))?.key
  if (key === undefined && new URL(url).hostname.endsWith("openai.com"))
    return yield* new Terminal({ code: "key.missing", message: "OpenAI needs a key. Run: npx voxbus keys set openai" })
  return {
    endpoint: { label: "OpenAI", url, key, keyName: "openai" },
    model: transcriptionModel,
    totalMs: transcriptionTimeoutSeconds * 1000
  }
})

/**
 * Several engines as one. Each cuts a request to what it takes; an utterance somebody waits for fails with the last try,
 * a chunk of a call goes back to the bus and is tried again later.
 */
const together = (
  chain: Chain,
  names: ReadonlyArray<Named>,
  pick: (name: Named, options: Options) => Effect.Effect<Engine, Terminal>
): Engine => ({
  name: names.join(" > "),
  remote: names.includes("openai"),
  longest: LONGEST_REMOTE,
  pid: () => undefined,
  prepare: (model) =>
    Effect.forEach(names, (engine) => Effect.ignore(Effect.flatMap(pick(engine, { engine, model }), (found) => found.prepare(model))), {
      discard: true
    }),
  transcribe: (request) =>
    chain
      .run(
        names.map((name) => ({ name, engine: pick(name, request.options) })),
        (found) => Effect.flatMap(found, (engine) => Windows.transcribe(engine, request))
      )
      .pipe(
        Effect.map(({ value, by }) => ({ ...value, engine: by })),
        Effect.mapError((failure): Failure =>
          request.lane === "interactive" && failure.code.startsWith("provider.")
            ? new Terminal({ code: failure.code, message: failure.message })
            : failure
        )
      )
})

export class Engines extends Context.Service<Engines, { readonly pick: (options: Options) => Effect.Effect<Engine, Terminal> }>()(
  "voxbus/transcriber/Engines"
) {
  static readonly layer: Layer.Layer<Engines, never, Models | Cores | Settings> = Layer.effect(
    Engines,
    Effect.gen(function* () {
      const models = yield* Models
      const settings = yield* Settings
      const chain = yield* makeChain("transcriber")
      const ctranslate2 = yield* makeCtranslate2
      const whisperCpp = yield* makeWhisperCpp
      const openAi = makeOpenAi(Effect.provideService(openAiSettings, Settings, settings))
      const named = (engine: Named, { model }: Options): Effect.Effect<Engine, Terminal> => {
        if (engine === "testkit") return Effect.succeed(testkit)
        if (engine === "openai") return Effect.succeed(openAi)
        if (engine === "whisper.cpp") return Effect.as(models.locate(modelName(model)), whisperCpp)
        return Effect.as(Effect.andThen(models.locate("python-ctranslate2"), models.locate(model)), ctranslate2)
      }
      const local = (options: Options) =>
        named("ctranslate2", options).pipe(Effect.catch((missing) => Effect.mapError(named("whisper.cpp", options), () => missing)))
      return Engines.of({
        pick: Effect.fnUntraced(function* (options: Options) {
          if (options.engine === "openai") return together(chain, ["openai"], named)
          if (options.engine !== "auto") return yield* named(options.engine, options)
          const names = (yield* settings.reload).provider.transcriber.chain
          return names.length === 0 ? yield* local(options) : together(chain, names, named)
        })
      })
    })
  )
}
