/**
 * `POST /api/calls`: a recording becomes a call. A form with the part `file` and the fields `title`, `ticket`, `priority`,
 * `language` and `model`, or the bytes of the file with the same as query parameters (and `name`). With `Idempotency-Key`
 * the same call is queued once. The answer is 202 with the session; how it goes is on the log.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { ulid } from "ulid"
import { AddJob } from "../../contract/JobCommands.ts"
import { TicketId } from "../../contract/Session.ts"
import { Bus } from "../../kernel/Bus.ts"
import { call } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { ensureRoom } from "../../models/Disk.ts"
import { demand } from "../Access.ts"
import { clientOf, hold } from "../limits/Usage.ts"
import { makeRateLimit, type RateLimit } from "../RateLimit.ts"
import { answered, counted } from "../Rest.ts"
import { receive } from "./Receive.ts"
import { keepSwept } from "./Sweep.ts"

const MEGA = 1_000_000
/** A call's title may be as long; control characters become spaces. */
const TITLE = 200

const Fields = Schema.Struct({
  title: Schema.optionalKey(Schema.String),
  ticket: Schema.optionalKey(TicketId),
  priority: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 9 }))),
  /** ISO 639-1, or `auto`. */
  language: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^([a-z]{2,3}|auto)$/))),
  model: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,100}$/)))
})
const FIELDS: ReadonlyArray<string> = Object.keys(Fields.fields)
const decodeFields = Schema.decodeUnknownEffect(Fields)
const isKey = Schema.is(Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,128}$/)))

const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

const plainTitle = (title: string): string =>
  title
    .replaceAll(/[\p{Cc}\p{Cs}\s]+/gu, " ")
    .trim()
    .slice(0, TITLE)

const known = (values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(values).filter(([name, value]) => FIELDS.includes(name) && value !== ""))

const upload = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  uploads: string,
  arriving: Set<string>,
  limit: RateLimit
) {
  const { name: caller } = yield* demand("write")
  yield* counted(limit, request)
  const settings = yield* Settings.current
  const most = settings.gateway.limits.uploadsAtOnce
  yield* hold("uploads", yield* clientOf(request), most, `${most} files are on their way already; send this one in a moment.`)
  const query = yield* HttpServerRequest.ParsedSearchParams
  const key = request.headers["idempotency-key"]
  if (key !== undefined && !isKey(key)) return yield* invalid("Idempotency-Key has 1 to 128 printable characters without spaces.")
  yield* ensureRoom(uploads, 2 * Number(request.headers["content-length"] ?? 0), "the file and its copy in the store")
  const id = ulid()
  arriving.add(id)
  const remove = Effect.promise(() => rm(join(uploads, id), { recursive: true, force: true }))
  return yield* Effect.gen(function* () {
    const { path, bytes, mediaType, name, fields } = yield* receive(request, {
      folder: join(uploads, id),
      maxBytes: settings.gateway.uploadMegabytes * MEGA,
      named: typeof query["name"] === "string" ? query["name"] : "recording"
    })
    const {
      title = "",
      ticket,
      priority,
      language,
      model
    } = yield* decodeFields(known({ ...query, ...fields })).pipe(
      Effect.mapError((cause) => invalid(`The fields of the call are not valid: ${cause.message}`))
    )
    const transcriber = {
      ...settings.session.transcriber,
      ...(language === undefined ? {} : { language }),
      ...(model === undefined ? {} : { model })
    }
    const plain = plainTitle(title)
    const { session, added } = yield* call(
      AddJob,
      {
        path,
        title: plain === "" ? name : plain,
        ...(ticket === undefined ? {} : { ticket }),
        ...(priority === undefined ? {} : { priority }),
        ...(key === undefined ? {} : { key: `upload:${key}` }),
        config: { ...settings.session, transcriber }
      },
      { as: caller }
    )
    // The file of the first time is the one that counts.
    if (!added) yield* remove
    return HttpServerResponse.jsonUnsafe(
      { session, added, bytes, media_type: mediaType },
      { status: added ? 202 : 200, headers: { "cache-control": "no-store", location: `/api/sessions/get?session=${session}` } }
    )
  }).pipe(
    Effect.onError(() => remove),
    Effect.ensuring(Effect.sync(() => void arriving.delete(id)))
  )
})

/** A refusal may come before the body has been read: the connection ends with it, instead of taking in the rest. */
const closing = Effect.map((response: HttpServerResponse.HttpServerResponse) =>
  response.status >= 400 ? HttpServerResponse.setHeader(response, "connection", "close") : response
)

export const uploadRoute = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const settings = yield* Settings
    const limit = makeRateLimit(settings.gateway.limits.requestsPerMinute)
    const uploads = join(settings.home, "uploads")
    const arriving = new Set<string>()
    yield* Effect.forkScoped(keepSwept(uploads, arriving))
    yield* router.add("POST", "/api/calls", (request) =>
      upload(request, uploads, arriving, limit).pipe(
        Effect.scoped,
        Effect.provideService(Bus, bus),
        Effect.provideService(Settings, settings),
        answered,
        closing
      )
    )
  })
)
