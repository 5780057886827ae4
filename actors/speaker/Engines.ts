/**
 * The registry of engines: one line each. `auto` is the configured chain, else the local voice. Addresses, voices and keys
 * are looked up with each sentence.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SpeakerOptions } from "../../contract/Session.ts"
import type { KeyName } from "../../contract/KeyCommands.ts"
import { type Chain, type Link, makeChain } from "../../kernel/Chain.ts"
import type { Cores } from "../../kernel/Cores.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { findKey } from "../../kernel/Keys.ts"
import type { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Engine, Speech } from "./Engine.ts"
import { browser } from "./engines/browser.ts"
import { makeElevenLabs } from "./engines/elevenlabs.ts"
import { makeOpenAiSpeech } from "./engines/openaiSpeech.ts"
import { piper } from "./engines/piper.ts"
import { testkit } from "./engines/testkit.ts"

/** The services themselves want a key; another server with their endpoints may do without. */
const keyed = Effect.fnUntraced(function* (label: string, keyName: KeyName, url: string, domain: string) {
  const key = (yield* findKey(keyName))?.key
  if (key === undefined && new URL(url).hostname.endsWith(domain))
    return yield* new Terminal({ code: "key.missing", message: `${label} needs a key. Run: npx voxbus keys set ${keyName}` })
  return { label, url, key, keyName }
})

const elevenLabs = Effect.gen(function* () {
  const { url, timeoutSeconds, ...rest } = (yield* Settings.current).provider.elevenlabs
  const endpoint = yield* keyed("ElevenLabs", "elevenlabs", url, "elevenlabs.io")
  return { endpoint: { ...endpoint, keyHeader: "xi-api-key" }, ...rest, totalMs: timeoutSeconds * 1000 }
})

const openAi = Effect.gen(function* () {
  const { url, speechModel, speechVoice, speechTimeoutSeconds } = (yield* Settings.current).provider.openai
  const endpoint = yield* keyed("OpenAI", "openai", url, "openai.com")
  return { endpoint, model: speechModel, voice: speechVoice, totalMs: speechTimeoutSeconds * 1000 }
})

/** Several voices as one. When none of them speaks, the answer is there as text, and says so. */
const together = (chain: Chain, links: Effect.Effect<ReadonlyArray<Link<Engine>>>): Engine => ({
  name: "auto",
  prepare: (voice) =>
    Effect.flatMap(links, (all) =>
      all.length === 1
        ? Effect.forEach(all, ({ engine }) => engine.prepare(voice), { discard: true })
        : Effect.forEach(all, ({ engine }) => Effect.ignore(engine.prepare(voice)), { discard: true })
    ),
  synthesize: (request) =>
    Effect.flatMap(links, (all) =>
      chain
        .run(all, (engine) => engine.synthesize(request))
        .pipe(
          Effect.map(({ value, by }): Speech => ({ ...value, engine: by })),
          Effect.mapError((failure): Failure =>
            all.length === 1 && !/^(provider|key|network)\./.test(failure.code)
              ? failure
              : new Terminal({ code: "speech.unavailable", message: `The answer is shown as text only. ${failure.message}` })
          )
        )
    )
})

export class Engines extends Context.Service<Engines, { readonly pick: (engine: SpeakerOptions["engine"]) => Engine }>()(
  "voxbus/speaker/Engines"
) {
  static readonly layer: Layer.Layer<Engines, never, Models | Cores | Settings> = Layer.effect(
    Engines,
    Effect.gen(function* () {
      const settings = yield* Settings
      const chain = yield* makeChain("speaker")
      const engines = {
        elevenlabs: makeElevenLabs(Effect.provideService(elevenLabs, Settings, settings)),
        "openai-speech": makeOpenAiSpeech(Effect.provideService(openAi, Settings, settings)),
        "piper-local": yield* piper,
        browser,
        testkit
      }
      const link = (name: keyof typeof engines): Link<Engine> => ({ name, engine: engines[name] })
      const automatic = Effect.map(settings.reload, ({ provider }): ReadonlyArray<Link<Engine>> =>
        provider.speaker.chain.length === 0 ? [link("piper-local")] : provider.speaker.chain.map(link)
      )
      const auto = together(chain, automatic)
      return Engines.of({ pick: (engine) => (engine === "auto" ? auto : together(chain, Effect.succeed([link(engine)]))) })
    })
  )
}

/**
 * Speech outside a turn, such as the demo's own questions: always the local voice.
 *
 * @param speed 1 is the voice's own pace
 */
export const synthesize = (text: string, voice = "piper-en-us-joe", speed = 1): Effect.Effect<Speech, Failure, Engines> =>
  Effect.flatMap(Engines, (engines) => engines.pick("piper-local").synthesize({ text, voice, speed }))
