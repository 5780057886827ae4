/**
 * The audio of a finished call: as it was captured (`audio_raw.*`, the very bytes that were imported, or a WAV of what
 * was recorded), the 16 kHz timeline as WAV, and the same as Opus for the bundle. One pass; only the Opus, 11 MB an
 * hour, is held in memory.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { open } from "node:fs/promises"
import { extname, join } from "node:path"
import { TIMELINE_RATE, type EventOf } from "../../contract/Events.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { Frames } from "../../kernel/Frames.ts"
import { decodeToTimeline, encodeOpus, pcmSamples, resampleStream, wavWriter } from "../../kernel/Media.ts"
import { onDisk, writeAll } from "./Files.ts"

type Captured = EventOf<"audio.captured">

export interface Recorded {
  /** Names in the folder. */
  readonly files: ReadonlyArray<string>
  /** Absent when there is no sample. */
  readonly opus?: Uint8Array
}

const TIMELINE_FILE = "audio_16k.wav"

/** The ending of the imported file as far as it is a plain one. */
const rawName = (event: Captured, source: string): string => {
  const ending = "frames" in event.audio ? ".wav" : extname(source).toLowerCase()
  const number = event.unit === 1 ? "" : `_${event.unit}`
  return `audio_raw${number}${/^\.[a-z0-9]{1,5}$/.test(ending) ? ending : ".bin"}`
}

const sync = (path: string) =>
  onDisk(path, async () => {
    const file = await open(path, "r+")
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  })

const pcmFormat = ({ sampleRate, channels }: Captured): Effect.Effect<readonly [rate: number, channels: number], Terminal> =>
  sampleRate === undefined || channels === undefined
    ? Effect.fail(new Terminal({ code: "event.invalid", message: "The recording does not say its sample rate and channels." }))
    : Effect.succeed([sampleRate, channels])

/** Writes `audio_raw.*` and gives the 16 kHz samples of it. */
const takeFrom = Effect.fnUntraced(function* (event: Captured, path: string) {
  const { audio } = event
  if ("frames" in audio) {
    const frames = yield* Frames
    const [rate, channels] = yield* pcmFormat(event)
    const wav = yield* wavWriter(path, rate, channels)
    const samples = pcmSamples(frames.read(event, audio.frames)).pipe(Stream.tap(wav.write))
    return resampleStream(rate, channels)(samples)
  }
  const blobs = yield* Blobs
  const file = yield* Effect.acquireRelease(
    onDisk(path, () => open(path, "wx")),
    (handle) => Effect.ignore(onDisk(path, () => handle.close()))
  )
  yield* Stream.runForEach(blobs.stream(event, audio.blob), (part) => onDisk(path, () => writeAll(file, part)))
  const { samples } = yield* decodeToTimeline({ kind: "file", path })
  return samples
})

/** Samples of silence made at once. */
const BLOCK = TIMELINE_RATE

/** Puts the spans of a recording where they belong: a pause between two is silence, a sample too many is left out. */
const onTimeline = () => {
  let position = 0
  let excess = 0
  return {
    until: (start: number): Stream.Stream<Int16Array> => {
      const missing = Math.max(0, start - position)
      excess = start === 0 ? 0 : Math.max(0, position - start)
      position += missing
      const blocks = Array.from({ length: Math.ceil(missing / BLOCK) }, (_, index) => Math.min(BLOCK, missing - index * BLOCK))
      return Stream.fromIterable(blocks).pipe(Stream.map((length) => new Int16Array(length)))
    },
    take: (samples: Int16Array): Int16Array => {
      const kept = samples.subarray(Math.min(excess, samples.length))
      excess -= samples.length - kept.length
      position += kept.length
      return kept
    }
  }
}

/**
 * Writes the audio of a call into `folder`.
 *
 * @param call.captured What was captured, in order; a call of several parts becomes one timeline.
 * @param call.samples Length of the timeline; 0 when there is none.
 */
export const writeRecording = Effect.fnUntraced(function* (
  folder: string,
  call: { readonly opened: EventOf<"session.opened">; readonly captured: ReadonlyArray<Captured>; readonly samples: number }
) {
  const raw = call.captured.map((event) => ({ event, name: rawName(event, call.opened.source.name) }))
  if (call.samples === 0 || raw.length === 0) return { files: [] } satisfies Recorded
  const wav = yield* wavWriter(join(folder, TIMELINE_FILE), TIMELINE_RATE, 1)
  const placed = onTimeline()
  const timeline: Stream.Stream<Int16Array, Failure, Blobs | Frames> = Stream.fromIterable(raw).pipe(
    Stream.flatMap(({ event, name }) =>
      Stream.concat(
        Stream.suspend(() => placed.until(event.start ?? 0)),
        Stream.unwrap(takeFrom(event, join(folder, name))).pipe(Stream.map(placed.take))
      )
    ),
    Stream.concat(Stream.suspend(() => placed.until(call.samples))),
    Stream.tap(wav.write)
  )
  const opus = yield* encodeOpus(timeline)
  const files = [...raw.map(({ name }) => name), TIMELINE_FILE]
  yield* Effect.forEach(files, (name) => sync(join(folder, name)), { discard: true })
  return { files, opus } satisfies Recorded
}, Effect.scoped)
