/** `voxbus retranscribe SESSION --model M`: a further version of a transcript, beside the old. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { RetranscribeSession, ShowSession } from "../../contract/HistoryCommands.ts"
import type { EventOf } from "../../contract/Events.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { lineOf } from "../../kernel/folds/Transcripts.ts"
import { follow, raised } from "../Call.ts"
import { ensureModel } from "../EnsureModel.ts"
import { asker } from "../Invoke.ts"
import { clearStatus, jsonFlag, printJson, printLine, status } from "../Output.ts"
import { CALL_ACTORS } from "../Registry.ts"
import { checkedSession } from "../SessionArgument.ts"
import { sessionFlags } from "../SessionFlags.ts"

export const retranscribe = Command.make(
  "retranscribe",
  { session: Argument.String("session").pipe(Argument.withDescription("Id of the call")), ...sessionFlags, json: jsonFlag },
  Effect.fn(function* (options) {
    const session = yield* checkedSession(options.session)
    const { ask, services } = yield* asker(CALL_ACTORS)
    const { config } = yield* ask(ShowSession, { session })
    const asked = {
      ...(Option.isSome(options.model) ? { model: options.model.value } : {}),
      ...(Option.isSome(options.engine) ? { engine: options.engine.value } : {}),
      ...(Option.isSome(options.language) ? { language: options.language.value } : {})
    }
    yield* ensureModel({ ...config, transcriber: { ...config.transcriber, ...asked } })
    const { version, chunks } = yield* ask(RetranscribeSession, { session, ...asked })
    let settled = 0
    let completed: EventOf<"transcript.completed"> | undefined
    const last = yield* follow("call", session).pipe(
      Stream.provide(services),
      Stream.map(({ event }) => event),
      Stream.tap((event) =>
        Effect.gen(function* () {
          if (event._tag === "transcript.completed" && event.version === version) completed = event
          if (event._tag === "error.raised" && event.actor === "bundler" && completed !== undefined) return yield* raised(event)
          const isEnd = event._tag === "text.transcribed" || event._tag === "text.rejected" || event._tag === "error.raised"
          if (!isEnd || lineOf(event) !== version) return
          settled += 1
          yield* status(`version ${version}: ${settled} of ${chunks} parts transcribed`)
        })
      ),
      Stream.filter((event): event is EventOf<"bundle.ready"> => event._tag === "bundle.ready" && event.version === version),
      Stream.runHead,
      Effect.ensuring(clearStatus)
    )
    if (completed === undefined || Option.isNone(last)) {
      return yield* new Terminal({ code: "internal", message: "The event log ended before the version was ready." })
    }
    const { words, coverage, current = version } = completed
    const { folder, bundle } = last.value
    if (options.json) return yield* printJson({ session, version, current, words, coverage, folder, bundle: join(folder, bundle) })
    yield* printLine(
      [
        `version ${version}: ${words} words, coverage ${(100 * coverage.ratio).toFixed(1)} %`,
        ...(current === version
          ? []
          : [`  It has no words where version ${current} had some, so version ${current} stays the text of this call.`]),
        `  folder  ${folder}`,
        `  bundle  ${bundle}`
      ].join("\n")
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Transcribe a call once more; the result stands beside the old"),
  Command.withExamples([{ command: "voxbus retranscribe 01JD... --model whisper-small", description: "With a larger model" }])
)
