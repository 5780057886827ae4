import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decodeToTimeline, encodeStream, joined } from "../Media.ts"

const RATE = 24_000
const tone = (seconds: number) =>
  Int16Array.from({ length: seconds * RATE }, (_, n) => Math.round(8_000 * Math.sin((2 * Math.PI * 440 * n) / RATE)))

/** How often a second the samples swing up from clearly below zero to clearly above: the pitch, whatever hums in the padding. */
const pitch = (pcm: Int16Array) => {
  let swings = 0
  let below = false
  for (const sample of pcm) {
    if (sample < -1_000) below = true
    else if (sample > 1_000 && below) {
      swings += 1
      below = false
    }
  }
  return (swings * 16_000) / pcm.length
}

describe("encoding while the samples come", () => {
  for (const format of ["mp3", "opus", "aac", "flac"] as const)
    it.live(`${format} hands on what is ready, and all of it can be decoded`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          let given = 0
          let early = 0
          const blocks = Stream.fromIterable([tone(1), tone(1), tone(1), tone(1)]).pipe(
            Stream.tap(() => Effect.sync(() => void (given += 1)))
          )
          const parts = yield* encodeStream(
            format,
            RATE
          )(Stream.rechunk(blocks, 1)).pipe(
            Stream.map((bytes) => {
              if (given < 4) early += bytes.length
              return bytes
            }),
            Stream.runCollect
          )
          const whole = Buffer.concat(parts)
          assert.isAbove(early, whole.length / 4, "bytes that came before the last second of sound was given")
          const { samples, info } = yield* decodeToTimeline({ kind: "bytes", chunks: Stream.make(whole) })
          const pcm = joined(yield* Stream.runCollect(samples))
          assert.closeTo(pcm.length / 16_000, 4, 0.12)
          assert.closeTo(pitch(pcm), 440, 12)
          assert.strictEqual(info.channels, 1)
        })
      )
    )

  it.live("the same samples give the same bytes", () =>
    Effect.gen(function* () {
      const once = Effect.map(Stream.runCollect(encodeStream("opus", RATE)(Stream.make(tone(1)))), (parts) => Buffer.concat(parts))
      assert.strictEqual(Buffer.compare(yield* once, yield* once), 0)
    })
  )
})
