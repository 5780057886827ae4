/** What a language model may ask of Voxbus: the tools of the MCP server, with their schemas. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdirSync, writeFileSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import { ulid } from "ulid"
import { Recorder } from "../../actors/capture/index.ts"
import { ListSessions, SearchSessions } from "../../contract/SessionCommands.ts"
import { SessionId, TicketId } from "../../contract/Session.ts"
import { GetTranscript } from "../../contract/TranscriptCommands.ts"
import { makeErrands, spokenText } from "../../gateway/Errands.ts"
import { describe, type Failure, Terminal } from "../../kernel/Failure.ts"
import { joined, wavBytes } from "../../kernel/Media.ts"
import type { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { progressOf, runCall } from "../Call.ts"
import { type Asker, asker } from "../Invoke.ts"
import { CALL_ACTORS } from "../Registry.ts"

export interface Answer {
  /** For the model to read. */
  readonly text: string
  readonly structured?: Readonly<Record<string, unknown>>
  /** WAV. */
  readonly audio?: Uint8Array
}

/** How far a tool is: done and, once known, of how many. */
export type Report = (done: number, of: number | undefined) => void

export interface Tool {
  readonly name: string
  readonly means: string
  /** It changes nothing. */
  readonly reads: boolean
  readonly input: Schema.Top
  readonly run: (input: unknown, report: Report) => Effect.Effect<Answer, Failure, Settings | Models>
}

type Input = Schema.Top & { readonly DecodingServices: never }

const tool = <I extends Input>(
  name: string,
  options: {
    readonly means: string
    readonly reads: boolean
    readonly input: I
    readonly actors?: ReadonlyArray<string>
    readonly run: (input: I["Type"], reach: Asker, report: Report) => Effect.Effect<Answer, Failure, Settings>
  }
): Tool => ({
  name,
  means: options.means,
  reads: options.reads,
  input: options.input,
  // A bus for each call: the instance may be started, stopped or replaced between two of them.
  run: (input, report) =>
    Schema.decodeUnknownEffect(options.input)(input).pipe(
      Effect.mapError((cause) => new Terminal({ code: "input.invalid", message: `${name}: ${describe(cause)}` })),
      Effect.flatMap((decoded) => Effect.flatMap(asker(options.actors ?? []), (reach) => options.run(decoded, reach, report))),
      Effect.scoped
    )
})

const at = (seconds: number) => seconds.toFixed(1)
const Limit = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))

const search = tool("search_calls", {
  means: "Full-text search over everything that was said in calls; hits with session, seconds from the start and snippet.",
  reads: true,
  input: Schema.Struct({
    query: SearchSessions.request.fields.query.annotate({
      description: 'Words, "phrases", prefix*, -without, speaker:NAME, ticket:ID, title:WORD, after:DATE, before:DATE'
    }),
    limit: Limit
  }),
  run: ({ query, limit = 20 }, { ask }) =>
    Effect.map(ask(SearchSessions, { query, limit }), ({ hits }) => ({
      text:
        hits.map(({ session, start, title, snippet }) => `${session} ${at(start)} s, ${title}: ${snippet}`).join("\n") || "Nothing found.",
      structured: { hits }
    }))
})

const list = tool("list_calls", {
  means: "Calls, the newest first: session, title, time, length, state and coverage.",
  reads: true,
  input: Schema.Struct({
    limit: Limit,
    before: Schema.optionalKey(SessionId.annotate({ description: "Only calls older than this session" }))
  }),
  run: ({ limit = 20, before }, { ask }) =>
    Effect.map(ask(ListSessions, { mode: "call", limit, ...(before === undefined ? {} : { before }) }), ({ sessions }) => ({
      text:
        sessions
          .map(
            ({ session, startedAt, title, durationSeconds, state }) =>
              `${session} ${startedAt} ${title} (${at(durationSeconds)} s, ${state})`
          )
          .join("\n") || "There are no calls.",
      structured: { calls: sessions }
    }))
})

const read = tool("read_transcript", {
  means: "The transcript of a call as it stands now, a segment a line with its seconds from the start.",
  reads: true,
  input: Schema.Struct({
    session: SessionId,
    from: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({ description: "First segment, from 1" })),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })))
  }),
  run: (page, { ask }) =>
    Effect.map(ask(GetTranscript, page), ({ title, segments, total, language, coverage }) => {
      const last = segments.at(-1)?.number ?? 0
      const lines = segments.map(({ start, speaker, text }) => `[${at(start)}] ${speaker === undefined ? "" : `${speaker}: `}${text}`)
      const more = last < total ? [`(${total - last} more segments: ask from ${last + 1})`] : []
      return {
        text: [`${title} (${language}, coverage ${coverage.ratio})`, ...lines, ...more].join("\n"),
        structured: { session: page.session, title, language, coverage: coverage.ratio, total, segments }
      }
    })
})

const absolute = (path: string): Effect.Effect<string, Terminal> =>
  isAbsolute(path)
    ? Effect.succeed(path)
    : Effect.fail(new Terminal({ code: "input.invalid", message: `${path} is not an absolute path on the machine of Voxbus.` }))

const transcribe = tool("transcribe_file", {
  means: "Transcribes an audio or video file of this machine as a call; returns its text. Takes a fraction of its length.",
  reads: false,
  input: Schema.Struct({
    path: Schema.NonEmptyString.annotate({ description: "Absolute path" }),
    title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
    ticket: Schema.optionalKey(TicketId),
    language: Schema.optionalKey(
      Schema.String.check(Schema.isPattern(/^(auto|[a-z]{2,3})$/)).annotate({ description: "ISO 639-1, or auto" })
    )
  }),
  actors: CALL_ACTORS,
  run: ({ path, language, ...about }, { services }, report) =>
    Effect.gen(function* () {
      const { session: config } = yield* Settings.current
      const transcriber = { ...config.transcriber, ...(language === undefined ? {} : { language }) }
      let progress = { settled: 0, chunks: 0 }
      const call = runCall({ path: yield* absolute(path), config: { ...config, transcriber }, ...about }, ({ event }) =>
        Effect.sync(() => {
          progress = progressOf(progress, event)
          report(progress.settled, progress.chunks === 0 ? undefined : progress.chunks)
        })
      )
      const { session, transcript } = yield* Effect.provide(call, services)
      return {
        text: `${transcript.text}\n\n(session ${session}, coverage ${transcript.coverage.ratio})`,
        structured: { session, text: transcript.text, language: transcript.language, coverage: transcript.coverage.ratio }
      }
    })
})

const speak = tool("speak", {
  means: "Makes speech of a text with the local voice: returned as WAV and kept as a file.",
  reads: false,
  input: Schema.Struct({
    text: Schema.NonEmptyString.check(Schema.isMaxLength(5_000)),
    speed: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0.25, maximum: 4 })))
  }),
  actors: ["speaker"],
  run: ({ text, speed }, { services }) =>
    Effect.gen(function* () {
      const { outputFolder } = yield* Settings
      const errands = yield* makeErrands.pipe(Effect.provide(Recorder.layer), Effect.provide(services))
      const parts = yield* spokenText(errands, text, speed === undefined ? {} : { speed })
      const [first] = parts
      if (first === undefined) return yield* new Terminal({ code: "input.invalid", message: "The text has no words." })
      const pcm = joined(
        parts.map((part) => new Int16Array(part.pcm.buffer.slice(part.pcm.byteOffset, part.pcm.byteOffset + part.pcm.byteLength)))
      )
      const audio = wavBytes(pcm, first.sampleRate, 1)
      const path = join(outputFolder, "speech", `${ulid()}.wav`)
      yield* Effect.try({
        try: () => {
          mkdirSync(join(outputFolder, "speech"), { recursive: true })
          writeFileSync(path, audio)
        },
        catch: (cause) => new Terminal({ code: "bundle.unwritable", message: `${path} cannot be written: ${describe(cause)}` })
      })
      const seconds = pcm.length / first.sampleRate
      return { text: `${at(seconds)} s of speech in ${path}`, structured: { path, seconds, sampleRate: first.sampleRate }, audio }
    })
})

export const TOOLS: ReadonlyArray<Tool> = [search, list, read, transcribe, speak]
