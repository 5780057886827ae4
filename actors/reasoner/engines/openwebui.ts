/**
 * OpenWebUI: the chat protocol under `/api`, with a knowledge collection to draw on.
 *
 * The model is looked up in `/api/models` before the first question and every ten minutes after; one that is not there
 * is replaced by the first that is, which the event then names. Gotcha: a search in the knowledge comes before the first
 * byte of the answer, so the whole time limit applies to it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Failure } from "../../../kernel/Failure.ts"
import { Terminal } from "../../../kernel/Failure.ts"
import { type Endpoint, json } from "../../../kernel/ProviderHttp.ts"
import type { Engine } from "../Engine.ts"
import { chatEngine } from "./openaiCompatible.ts"

export interface OpenWebUi {
  /** Without `/api`. */
  readonly endpoint: Endpoint
  readonly model: string
  /** Id of a knowledge collection; empty: none. */
  readonly knowledge: string
  readonly totalMs: number
}

const Models = Schema.Struct({ data: Schema.Array(Schema.Struct({ id: Schema.String })) })
const LOOK_MS = 10_000
const FRESH_MS = 600_000

/** Ids of the models the server offers. */
export const models = ({ endpoint }: Pick<OpenWebUi, "endpoint">): Effect.Effect<ReadonlyArray<string>, Failure> =>
  json(endpoint, { method: "GET", path: "/api/models", firstByteMs: LOOK_MS, totalMs: LOOK_MS }, Models).pipe(
    Effect.map(({ data }) => data.map(({ id }) => id))
  )

/** Remembers for each address and model what the server has in its place. */
export const makeOpenWebUi = (): ((server: OpenWebUi) => Engine) => {
  const known = new Map<string, { readonly model: string; readonly at: number }>()

  const choose = Effect.fnUntraced(function* (server: OpenWebUi, wanted: string) {
    const key = `${server.endpoint.url} ${wanted}`
    const now = yield* Clock.currentTimeMillis
    const before = known.get(key)
    if (before !== undefined && now - before.at < FRESH_MS) return before.model
    const offered = yield* models(server)
    const model = offered.includes(wanted) ? wanted : offered[0]
    if (model === undefined)
      return yield* new Terminal({
        code: "provider.model",
        message: `${server.endpoint.label} offers no model. Add one there, or give this key access to one.`
      })
    if (model !== wanted && wanted !== "")
      yield* Effect.logWarning("the configured model is not there; another one is used").pipe(Effect.annotateLogs({ wanted, model }))
    known.set(key, { model, at: now })
    return model
  })

  return (server) => {
    const engine = chatEngine("openwebui", {
      endpoint: { ...server.endpoint, url: `${server.endpoint.url.replace(/\/+$/, "")}/api` },
      model: server.model,
      firstByteMs: server.totalMs,
      totalMs: server.totalMs,
      extra: server.knowledge === "" ? {} : { files: [{ type: "collection", id: server.knowledge }] }
    })
    return {
      ...engine,
      prepare: Effect.asVoid(choose(server, server.model)),
      reply: (request) =>
        Stream.unwrap(
          Effect.map(choose(server, request.model === "" ? server.model : request.model), (model) => engine.reply({ ...request, model }))
        )
    }
  }
}
