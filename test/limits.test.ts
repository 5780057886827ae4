/** Two hours without a sample of drift, and files that are not what they say. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeChunker, type Chunk } from "../actors/normalizer/Chunker.ts"
import { decodeToTimeline, wavBytes } from "../kernel/Media.ts"
import { fuzzAudio } from "./support/fuzz.ts"

const HOURS = 2
/** Not a divisor of 16 kHz: every sample is interpolated. 441 of these are 640 of the timeline. */
const RATE = 11_025
const SECONDS = HOURS * 3600

/** A click every 20 s, so that it falls on a whole sample of both rates. */
const EVERY = 20
const clickAt = (n: number) => n * EVERY + 10

const writeClicks = (path: string) => {
  const header = wavBytes(new Int16Array(0), RATE, 1).slice(0, 44)
  const view = new DataView(header.buffer)
  view.setUint32(4, 36 + SECONDS * RATE * 2, true)
  view.setUint32(40, SECONDS * RATE * 2, true)
  const block = new Int16Array(EVERY * RATE)
  block[10 * RATE] = 20_000
  const bytes = new Uint8Array(block.buffer)
  const file = openSync(path, "w")
  writeSync(file, header)
  for (let n = 0; n < SECONDS / EVERY; n += 1) writeSync(file, bytes)
  closeSync(file)
}

/** The loudest sample of a chunk, on the timeline. */
const peakOf = ({ samples, start }: Chunk, from: number, to: number): number => {
  let at = from
  for (let i = from; i < to; i += 1) if (Math.abs(samples[i - start] ?? 0) > Math.abs(samples[at - start] ?? 0)) at = i
  return at
}

describe("two hours", () => {
  it.live(
    "drift by 0 samples: each click is in its chunk at the very sample",
    () =>
      Effect.gen(function* () {
        const folder = mkdtempSync(join(tmpdir(), "voxbus-drift-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
        const path = join(folder, "clicks.wav")
        writeClicks(path)
        const { samples } = yield* decodeToTimeline({ kind: "file", path })
        const chunker = makeChunker()
        const drifts: Array<number> = []
        let next = 0
        let position = 0
        let most = 0
        const see = (chunks: ReadonlyArray<Chunk>) => {
          for (const chunk of chunks)
            for (const span of chunk.speech) drifts.push(peakOf(chunk, span.start, span.end) - (span.start + span.end) / 2)
        }
        yield* Stream.runForEach(samples, (block) =>
          Effect.sync(() => {
            position += block.length
            // Where a detector would find the click, 250 ms around it.
            const spans = []
            while (clickAt(next) * 16_000 + 4_000 <= position && next < SECONDS / EVERY) {
              const center = clickAt(next) * 16_000
              spans.push({ start: center - 4_000, end: center + 4_000 })
              next += 1
            }
            see(chunker.push(block, spans, position - 16_000))
            if (position % 16_000_000 < block.length) most = Math.max(most, process.memoryUsage().rss)
          })
        )
        see(chunker.finish([]))
        assert.strictEqual(chunker.totals().samples, SECONDS * 16_000, "as long as the source, to the sample")
        assert.strictEqual(drifts.length, SECONDS / EVERY)
        assert.deepStrictEqual([...new Set(drifts)], [0])
        assert.isBelow(most / 1e6, 600, "MB resident: the recording is not held in memory")
      }).pipe(Effect.scoped),
    120_000
  )
})

describe("files that are not what they say", () => {
  it.live(
    "end in samples or in a documented error, and nothing crashes or hangs",
    () =>
      Effect.gen(function* () {
        const { faults, ends } = yield* fuzzAudio(20, 400)
        assert.deepStrictEqual(faults, [])
        assert.containsAllKeys(ends, ["decoded", "audio.unreadable", "audio.empty"])
      }),
    120_000
  )
})
