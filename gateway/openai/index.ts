/**
 * `/v1`: the gateway as OpenAI's API, for clients that exist already. One file per endpoint; what they share is `Private.ts`
 * (a session for one request), `Problem.ts` (failures in their form), `Sse.ts` and `Body.ts`.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { normalizerLayer } from "../../actors/normalizer/index.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { makeRateLimit } from "../RateLimit.ts"
import { counted, unknownRoute } from "../Rest.ts"
import { makeChat } from "./Chat.ts"
import { listModels, oneModel } from "./Models.ts"
import { openAiAnswered } from "./Problem.ts"
import { makeRealtimeEndpoint } from "./realtime/index.ts"
import { listVoices, makeSpeech } from "./Speech.ts"
import { makeTranscriptions } from "./Transcriptions.ts"

type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, Scope.Scope>
type Handle = (request: HttpServerRequest.HttpServerRequest) => Answer

const routes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const settings = yield* Settings
    const limit = makeRateLimit(settings.gateway.limits.requestsPerMinute)
    const transcriptions = yield* makeTranscriptions
    const speech = yield* makeSpeech
    const chat = yield* makeChat
    const realtime = yield* makeRealtimeEndpoint

    /** What computes counts against the client's limit, and is one trace. */
    const work = (path: `/${string}`, handle: Handle) =>
      router.add("POST", `/v1${path}`, (request) =>
        openAiAnswered(
          counted(limit, request).pipe(Effect.andThen(handle(request)), Effect.withSpan(`gateway ${path.slice(1)}`, { root: true }))
        )
      )
    const look = <R>(path: `/${string}`, answer: Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>) =>
      router.add("GET", `/v1${path}`, openAiAnswered(Effect.provideService(answer, Settings, settings)))

    yield* work("/audio/transcriptions", (request) => transcriptions(request, "transcribe"))
    yield* work("/audio/translations", (request) => transcriptions(request, "translate"))
    yield* work("/audio/speech", speech)
    yield* work("/chat/completions", chat)
    yield* look("/models", listModels)
    yield* look(
      "/models/:model",
      Effect.flatMap(HttpRouter.params, ({ model = "" }) => oneModel(model))
    )
    yield* look("/audio/voices", listVoices)
    yield* router.add("GET", "/v1/realtime", (request) => openAiAnswered(Effect.andThen(counted(limit, request), realtime(request))))
    yield* router.add("*", "/v1/*", (request) => openAiAnswered(Effect.fail(unknownRoute(request))))
  })
)

/** The routes with the voice activity detector that turns of `/v1/realtime` are found with. */
export const openAiRoutes = routes.pipe(Layer.provide(normalizerLayer), Layer.provide(Models.layer))
