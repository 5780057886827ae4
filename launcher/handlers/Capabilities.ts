/** `capabilities.get`: read from what is there, so that nothing has to be registered twice. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { FORMATS } from "../../actors/bundler/exports/registry.ts"
import { type Capabilities, GetCapabilities } from "../../contract/CapabilityCommands.ts"
import { ReasonerOptions, SpeakerOptions, TranscriberOptions } from "../../contract/Session.ts"
import { handler } from "../../kernel/Commands.ts"
import { Settings } from "../../kernel/Settings.ts"
import { listModels } from "../../models/index.ts"
import { VERSION } from "../commands/version.ts"
import { Fleet } from "../Fleet.ts"
import { loadAll } from "../Registry.ts"
import { healthOf } from "./Actors.ts"

const Engine = Schema.Struct({ properties: Schema.Struct({ engine: Schema.Struct({ enum: Schema.Array(Schema.String) }) }) })

/** The engines that a session may name; those for tests and the choice itself are none. */
const enginesOf = (options: Schema.Top): ReadonlyArray<string> => {
  const found = Schema.decodeUnknownOption(Engine)(Schema.toJsonSchemaDocument(options).schema)
  return found._tag === "Some" ? found.value.properties.engine.enum.filter((name) => name !== "auto" && name !== "testkit") : []
}

const get = handler(GetCapabilities, () =>
  Effect.gen(function* () {
    const settings = yield* Settings.current
    const health = yield* healthOf
    const processes = yield* (yield* Fleet).processes
    const own = process.pid
    // It takes half a second to load, and whoever serves this has loaded it.
    const { MAX_BODY_BYTES, MAX_UTTERANCE_SECONDS } = yield* Effect.promise(() => import("../../gateway/index.ts"))
    const { session, provider, gateway, cores, host } = settings
    const reply: Capabilities = {
      version: VERSION,
      cores,
      offline: host.offline,
      actors: (yield* loadAll).map(({ name, declaration }) => ({
        actor: name,
        health: health.find(({ actor }) => actor === name)?.status ?? "unknown",
        apart: processes.some(({ actor, pid }) => actor === name && pid !== own),
        consumes: declaration.consumes.map(({ mode, tags, concurrency }) => ({ mode, events: tags, concurrency })),
        publishes: declaration.publishes
      })),
      engines: [
        {
          actor: "transcriber",
          default: session.transcriber.engine,
          chain: provider.transcriber.chain,
          engines: enginesOf(TranscriberOptions)
        },
        { actor: "reasoner", default: session.reasoner.engine, chain: provider.reasoner.chain, engines: enginesOf(ReasonerOptions) },
        { actor: "speaker", default: session.speaker.engine, chain: provider.speaker.chain, engines: enginesOf(SpeakerOptions) }
      ],
      models: (yield* listModels()).filter(({ installed }) => installed).map(({ name, kind, bytes }) => ({ name, kind, bytes })),
      exports: FORMATS.map(({ format }) => format),
      limits: {
        uploadBytes: gateway.uploadMegabytes * 1_000_000,
        uploadsAtOnce: gateway.limits.uploadsAtOnce,
        bodyBytes: MAX_BODY_BYTES,
        socketsPerClient: gateway.limits.socketsPerClient,
        conversationsPerHour: gateway.limits.conversationsPerHour,
        requestsPerMinute: gateway.limits.requestsPerMinute,
        utteranceSeconds: MAX_UTTERANCE_SECONDS
      }
    }
    return reply
  })
)

export const capabilityHandlers = [get]
