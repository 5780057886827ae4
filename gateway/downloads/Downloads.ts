/**
 * Files of a session, with ranges.
 *
 * | address below `/api/sessions/:session` | what it is |
 * |---|---|
 * | `/audio` | the 16 kHz timeline as WAV; `?original=true` the very bytes that were imported |
 * | `/bundle` | the sealed `.vtb` |
 * | `/exports/:format` | the transcript as it stands, edits included; options as in `exports.make` |
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import { basename, join } from "node:path"
import type { BlobRef } from "../../contract/Events.ts"
import { type Mode, SessionId } from "../../contract/Session.ts"
import { MakeExport } from "../../contract/TranscriptCommands.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { call } from "../../kernel/Commands.ts"
import { describe, type Failure, Terminal } from "../../kernel/Failure.ts"
import { history } from "../../kernel/History.ts"
import { modeOf } from "../../library/Erase.ts"
import { Caller, demand } from "../Access.ts"
import { answered } from "../Rest.ts"
import { cut, type Download, served } from "./Range.ts"
import { timeline } from "./Timeline.ts"

const isSession = Schema.is(SessionId)

const missing = (message: string) => new Terminal({ code: "input.missing", message })

const sessionOf = Effect.gen(function* () {
  const given = (yield* HttpRouter.params)["session"]
  return isSession(given) ? given : yield* new Terminal({ code: "session.unknown", message: "That is not the id of a session." })
})

const blobOf = (owner: { readonly mode: Mode; readonly session: SessionId }, ref: BlobRef, mediaType: string, name: string) =>
  Effect.map(Blobs, (blobs): Download => ({
    size: ref.bytes,
    mediaType,
    name,
    etag: `"${ref.sha256}"`,
    read: (range) => cut(blobs.stream(owner, ref), range)
  }))

const original = Effect.fnUntraced(function* (mode: Mode, session: SessionId) {
  const events = (yield* history(mode, session, ["session.opened", "audio.captured"])).map(({ event }) => event)
  const captured = events.find((event) => event._tag === "audio.captured")
  const opened = events.find((event) => event._tag === "session.opened")
  if (captured?._tag !== "audio.captured" || !("blob" in captured.audio))
    return yield* missing(`Session ${session} was not made from a file; ask for its audio without "original".`)
  const name = opened?._tag === "session.opened" ? basename(opened.source.name) : session
  // Bytes that somebody sent us are never shown by a browser as a page.
  return yield* blobOf({ mode, session }, captured.audio.blob, "application/octet-stream", name)
})

const bundle = Effect.fnUntraced(function* (session: SessionId) {
  const ready = (yield* history("call", session, ["bundle.ready"])).at(-1)?.event
  if (ready === undefined) return yield* missing(`Session ${session} has no bundle yet.`)
  const path = join(ready.folder, basename(ready.bundle))
  const { size, mtimeMs } = yield* Effect.tryPromise({
    try: () => stat(path),
    catch: () => missing("The bundle is not in the output folder any more, or it was written on another machine.")
  })
  const download: Download = {
    size,
    mediaType: "application/zip",
    name: basename(ready.bundle),
    etag: `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`,
    read: ({ start, end }) =>
      start >= end
        ? Stream.empty
        : Stream.fromAsyncIterable(
            createReadStream(path, { start, end: end - 1 }),
            (cause) => new Terminal({ code: "internal", message: `The bundle cannot be read: ${describe(cause)}`, cause })
          )
  }
  return download
})

const NUMBERS: Readonly<Record<string, string>> = {
  "line-length": "lineLength",
  lines: "lines",
  "min-seconds": "minSeconds",
  "max-seconds": "maxSeconds",
  cps: "charactersPerSecond"
}

const decodeExport = Schema.decodeUnknownEffect(MakeExport.request)

const exported = Effect.fnUntraced(function* (session: SessionId) {
  const { format = "" } = yield* HttpRouter.params
  const query = yield* HttpServerRequest.ParsedSearchParams
  const subtitles = Object.fromEntries(
    Object.entries(NUMBERS).flatMap(([name, field]) => (query[name] === undefined ? [] : [[field, Number(query[name])]]))
  )
  const wanted = yield* decodeExport({
    session,
    format,
    ...(Object.keys(subtitles).length === 0 ? {} : { subtitles }),
    ...(query["original"] === "true" ? { original: true } : {})
  }).pipe(Effect.mapError((cause) => new Terminal({ code: "input.invalid", message: `The export is not valid: ${cause.message}` })))
  const { name } = yield* Caller
  const made = yield* call(MakeExport, wanted, { as: name })
  return yield* blobOf({ mode: yield* modeOf(session), session }, made.blob, made.mediaType, made.name)
})

export const downloadRoutes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<Bus | Blobs>()
    const add = (
      path: `/${string}`,
      make: (
        session: SessionId
      ) => Effect.Effect<Download, Failure, Bus | Blobs | HttpRouter.RouteContext | HttpServerRequest.ParsedSearchParams>,
      inline: boolean
    ) =>
      router.add("GET", `/api/sessions/:session${path}`, (request) =>
        answered(
          demand("read").pipe(
            Effect.andThen(sessionOf),
            Effect.flatMap(make),
            Effect.map((download) => served(download, request.headers, inline)),
            Effect.provide(services)
          )
        )
      )
    yield* add(
      "/audio",
      (session) =>
        Effect.gen(function* () {
          const query = yield* HttpServerRequest.ParsedSearchParams
          const mode = yield* modeOf(session)
          return yield* query["original"] === "true" ? original(mode, session) : timeline(mode, session)
        }),
      true
    )
    yield* add("/bundle", bundle, false)
    yield* add("/exports/:format", exported, false)
  })
)
