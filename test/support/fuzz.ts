/** Feeds bad files to the decoder of this process and tells what became of each. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { decodeToTimeline, encodeAudio, wavBytes } from "../../kernel/Media.ts"
import { type BadFile, badFiles, knownBad } from "../../kernel/testkit/BadAudio.ts"

/** What a file may end with. */
const DOCUMENTED = new Set(["audio.empty", "audio.unreadable", "audio.too_large", "input.invalid", "input.missing"])
/** Milliseconds a file of a few seconds may take. */
const PATIENCE = 20_000

const tone = Int16Array.from({ length: 16_000 }, (_, i) => Math.round(9_000 * Math.sin(i / 11) * Math.sin(i / 900)))

/** A second of sound in every format that is written here. */
const goodFiles = Effect.forEach(
  [
    ["mp3", { container: "mp3", encoder: "libmp3lame", bitsPerSecond: 64_000 }],
    ["m4a", { container: "ipod", encoder: "aac", bitsPerSecond: 64_000 }],
    ["flac", { container: "flac", encoder: "flac", bitsPerSecond: 0 }],
    ["ogg", { container: "ogg", encoder: "libopus", bitsPerSecond: 64_000 }],
    ["webm", { container: "webm", encoder: "libopus", bitsPerSecond: 32_000 }]
  ] as const,
  ([name, options]) => Effect.map(encodeAudio(Stream.make(tone), options), (bytes): BadFile => ({ name, bytes }))
).pipe(Effect.map((encoded) => [...encoded, { name: "wav", bytes: wavBytes(tone, 44_100, 2) }]))

/** Samples, or the code of a documented failure; anything else is a fault, with the name of the file. */
const outcome = ({ name, bytes }: BadFile) =>
  Effect.gen(function* () {
    const timeline = yield* decodeToTimeline({ kind: "bytes", chunks: Stream.make(bytes) })
    return yield* Stream.runFold(
      timeline.samples,
      () => 0,
      (sum, block) => sum + block.length
    )
  }).pipe(
    Effect.scoped,
    Effect.timeoutOption(PATIENCE),
    Effect.exit,
    Effect.map((exit) => {
      if (Exit.isSuccess(exit))
        return exit.value._tag === "Some" ? { end: "decoded" } : { end: "fault", fault: `${name}: no end within ${PATIENCE} ms` }
      const failure = exit.cause.reasons.flatMap((reason) => (reason._tag === "Fail" ? [reason.error] : []))[0]
      if (failure !== undefined && "code" in failure && DOCUMENTED.has(failure.code)) return { end: failure.code }
      return { end: "fault", fault: `${name}: ${String(exit.cause)}` }
    })
  )

/** How many files ended how, and the faults. */
export const fuzzAudio = Effect.fnUntraced(function* (seed: number, count: number) {
  const good = yield* goodFiles
  const ends: Record<string, number> = {}
  const faults: Array<string> = []
  const see = Effect.fnUntraced(function* (file: BadFile) {
    const { end, fault } = yield* outcome(file)
    ends[end] = (ends[end] ?? 0) + 1
    if (fault !== undefined) faults.push(fault)
  })
  for (const file of knownBad()) yield* see(file)
  for (const file of badFiles(seed, count, good)) yield* see(file)
  return { files: knownBad().length + count, ends, faults }
})
