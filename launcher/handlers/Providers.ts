/** `providers.check`, `providers.discover`, `providers.voices`. */
import * as Effect from "effect/Effect"
import { voices as elevenLabsVoices } from "../../actors/speaker/index.ts"
import { CheckProviders, DiscoverProviders, ListVoices } from "../../contract/ProviderCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { findKey } from "../../kernel/Keys.ts"
import { listModels } from "../../models/index.ts"
import { discover } from "../providers/Discover.ts"
import { checkAll, endpointOf } from "../providers/Endpoints.ts"

/** OpenAI has no list to ask for. */
const OPENAI_VOICES = ["alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer"]

const voices = handler(ListVoices, () =>
  Effect.gen(function* () {
    const installed = (yield* listModels()).filter(({ kind, installed }) => kind === "voice" && installed)
    const local = installed.map(({ name, description }) => ({ engine: "piper-local" as const, id: name, name: description }))
    const openAi =
      (yield* findKey("openai")) === undefined ? [] : OPENAI_VOICES.map((id) => ({ engine: "openai-speech" as const, id, name: id }))
    const remote =
      (yield* findKey("elevenlabs")) === undefined
        ? { voices: [], problems: [] }
        : yield* Effect.flatMap(endpointOf("elevenlabs"), elevenLabsVoices).pipe(
            Effect.map((found) => ({ voices: found.map((voice) => ({ engine: "elevenlabs" as const, ...voice })), problems: [] })),
            Effect.catch((failure) => Effect.succeed({ voices: [], problems: [failure.message] }))
          )
    return { voices: [...local, ...openAi, ...remote.voices], problems: remote.problems }
  })
)

export const providerHandlers = [
  handler(CheckProviders, () => Effect.map(checkAll, (providers) => ({ providers }))),
  handler(DiscoverProviders, ({ ports = [] }) => Effect.map(discover(ports), (found) => ({ found }))),
  voices
]
