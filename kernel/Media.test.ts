import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Failure } from "./Failure.ts"
import * as Media from "./Media.ts"

const RATE = 16_000

/** A tone that is loud, then quiet, per second: a shift or a loss shows. */
const tone = (seconds: number, rate = RATE, channels = 1): Int16Array =>
  new Int16Array(seconds * rate * channels).map((_, index) => {
    const at = Math.floor(index / channels)
    return Math.round((Math.floor(at / rate) % 2 === 0 ? 12_000 : 1_500) * Math.sin((2 * Math.PI * 440 * at) / rate))
  })

const decoded = Effect.fnUntraced(function* (input: Media.MediaInput) {
  const timeline = yield* Media.decodeToTimeline(input)
  const samples = Media.joined(yield* Stream.runCollect(timeline.samples))
  return { samples, info: timeline.info, truncated: yield* timeline.truncated }
}, Effect.scoped)

/** In parts of odd sizes, as a network would. */
const bytesInput = (bytes: Uint8Array): Media.MediaInput => ({
  kind: "bytes",
  chunks: Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / 4_999) }, (_, index) => bytes.subarray(index * 4_999, (index + 1) * 4_999))
  )
})

const codeOf = (input: Media.MediaInput) =>
  Effect.match(decoded(input), { onFailure: (failure: Failure) => failure.code, onSuccess: ({ samples }) => `${samples.length} samples` })

const loudness = (samples: Int16Array, from: number, to: number) =>
  Math.sqrt(samples.subarray(from, to).reduce((sum, sample) => sum + sample * sample, 0) / (to - from))

/** Loud, quiet, loud ... where they belong, to 50 ms. */
const assertTone = (samples: Int16Array, seconds: number) => {
  assert.closeTo(samples.length / RATE, seconds, 0.03)
  for (let second = 0; second < seconds; second++) {
    const level = loudness(samples, second * RATE + 800, (second + 1) * RATE - 800)
    assert.closeTo(level, second % 2 === 0 ? 8_485 : 1_060, second % 2 === 0 ? 900 : 150, `second ${second}`)
  }
}

describe("decodeToTimeline", () => {
  it.effect("passes 16 kHz mono WAV on bit by bit", () =>
    Effect.gen(function* () {
      const pcm = tone(2)
      const { samples, info, truncated } = yield* decoded(bytesInput(Media.wavBytes(pcm, RATE, 1)))
      assert.deepStrictEqual(samples, pcm)
      assert.deepStrictEqual(info, { codec: "pcm_s16le", sampleRate: RATE, channels: 1 })
      assert.isFalse(truncated)
    })
  )

  it.effect("resamples and mixes down other WAV", () =>
    Effect.gen(function* () {
      const stereo = yield* decoded(bytesInput(Media.wavBytes(tone(3, 8_000, 2), 8_000, 2)))
      assertTone(stereo.samples, 3)
      assert.deepStrictEqual(stereo.info, { codec: "pcm_s16le", sampleRate: 8_000, channels: 2 })
      assertTone((yield* decoded(bytesInput(Media.wavBytes(tone(3, 44_100, 6), 44_100, 6)))).samples, 3)
    })
  )

  const formats: ReadonlyArray<Media.EncoderOptions> = [
    { container: "ogg", encoder: "libopus", bitsPerSecond: 32_000 },
    { container: "webm", encoder: "libopus", bitsPerSecond: 32_000 },
    { container: "mp3", encoder: "libmp3lame", bitsPerSecond: 64_000 },
    { container: "ipod", encoder: "aac", bitsPerSecond: 64_000 },
    { container: "flac", encoder: "flac", bitsPerSecond: 0 }
  ]
  for (const format of formats) {
    it.effect(`decodes ${format.container}/${format.encoder}, whole, cut short and damaged`, () =>
      Effect.gen(function* () {
        const bytes = yield* Media.encodeAudio(Stream.make(tone(4)), format)
        assertTone((yield* decoded(bytesInput(bytes))).samples, 4)
        const cut = bytes.subarray(0, Math.floor(bytes.length * 0.6))
        // MP4 has its index at the end: without it there is nothing to decode.
        if (format.container === "ipod") assert.strictEqual(yield* codeOf(bytesInput(cut)), "audio.unreadable")
        else assert.isAbove((yield* decoded(bytesInput(cut))).samples.length, RATE)
        if (format.container === "flac" || format.container === "webm") assert.isTrue((yield* decoded(bytesInput(cut))).truncated)
        for (let seed = 1; seed <= 20; seed++) {
          const damaged = bytes.slice()
          for (let hit = 0; hit < seed; hit++) damaged[(hit * 7919 + seed * 104_729) % damaged.length] = (seed * 31 + hit * 17) % 256
          assert.match(yield* codeOf(bytesInput(damaged)), /^(audio\.(empty|unreadable)|\d+ samples)$/)
        }
      })
    )
  }

  it.effect("recovers WAV files of recorders that were killed", () =>
    Effect.gen(function* () {
      const pcm = tone(2)
      for (const size of [0, 0xffffffff, 10_000, 900_000_000]) {
        const wav = Buffer.from(Media.wavBytes(pcm, RATE, 1))
        wav.writeUInt32LE(size, 40)
        const { samples, truncated } = yield* decoded(bytesInput(wav))
        assert.strictEqual(samples.length, pcm.length, `header says ${size}`)
        assert.strictEqual(truncated, size === 900_000_000)
      }
    })
  )

  it.effect("does not take chunks after the samples for samples", () =>
    Effect.gen(function* () {
      const pcm = tone(1)
      const list = Buffer.concat([Buffer.from("LIST"), Buffer.from([4, 0, 0, 0]), Buffer.from("INFO")])
      const { samples } = yield* decoded(bytesInput(Buffer.concat([Media.wavBytes(pcm, RATE, 1), list])))
      assert.strictEqual(samples.length, pcm.length)
    })
  )

  it.effect("says what is wrong with what is not audio", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "voxbus-test-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const file = Effect.fnUntraced(function* (name: string, content: string | Uint8Array) {
        const path = join(folder, name)
        yield* Effect.promise(() => writeFile(path, content))
        return yield* codeOf({ kind: "file", path })
      })
      const real = join(folder, "real.wav")
      yield* Effect.promise(() => writeFile(real, Media.wavBytes(tone(1, 8_000), 8_000, 1)))
      assert.strictEqual(yield* file("empty.wav", ""), "audio.empty")
      assert.strictEqual(yield* file("header.wav", Media.wavBytes(new Int16Array(0), RATE, 1)), "audio.empty")
      assert.strictEqual(yield* file("text.wav", "These are words, not sound.\n".repeat(2_000)), "audio.unreadable")
      assert.strictEqual(
        yield* file(
          "random.mp3",
          new Uint8Array(60_000).map((_, index) => (index * index * 31 + (index >> 3)) % 256)
        ),
        "audio.unreadable"
      )
      const hertz = Buffer.from(Media.wavBytes(tone(1), RATE, 1))
      hertz.writeUInt32LE(1, 24)
      assert.strictEqual(yield* file("one-hertz.wav", hertz), "audio.unreadable")
      // Playlists would make FFmpeg open what they name.
      assert.strictEqual(yield* file("list.wav", `ffconcat version 1.0\nfile ${real}\n`), "audio.unreadable")
      assert.strictEqual(yield* file("list.m3u8", `#EXTM3U\n#EXTINF:1,\n${real}\n`), "audio.unreadable")
      assert.strictEqual(yield* codeOf({ kind: "file", path: join(folder, "none.wav") }), "input.missing")
    }).pipe(Effect.scoped)
  )

  it.effect("leaves no temporary file", () =>
    Effect.gen(function* () {
      const ours = Effect.promise(async () => (await readdir(tmpdir())).filter((name) => name.startsWith("voxbus-audio-")))
      const before = yield* ours
      // More than is kept in memory.
      yield* decoded(bytesInput(Media.wavBytes(tone(20, 44_100), 44_100, 1)))
      assert.deepStrictEqual(yield* ours, before)
    })
  )
})

describe("raw PCM", () => {
  it.effect("joins samples that are split between payloads", () =>
    Effect.gen(function* () {
      const pcm = tone(1)
      const bytes = Buffer.from(pcm.buffer)
      const payloads = Stream.fromIterable([bytes.subarray(0, 1001), bytes.subarray(1001, 1002), bytes.subarray(1002)])
      assert.deepStrictEqual(Media.joined(yield* Stream.runCollect(Media.pcmSamples(payloads))), pcm)
    })
  )

  it.effect("resamples a stream like a whole", () =>
    Effect.gen(function* () {
      const pcm = tone(3, 48_000, 2)
      const whole = yield* Media.resample(pcm, 48_000, 2)
      assertTone(whole, 3)
      const blocks = Stream.fromIterable(
        Array.from({ length: 100 }, (_, index) =>
          pcm.subarray(Math.floor((index * pcm.length) / 100), Math.floor(((index + 1) * pcm.length) / 100))
        )
      )
      const streamed = Media.joined(yield* Stream.runCollect(Media.resampleStream(48_000, 2)(blocks)))
      assert.deepStrictEqual(streamed, whole)
    })
  )

  it.effect("refuses formats that cannot be", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Media.resample(tone(1), 0, 2))
      assert.strictEqual(failure.code, "input.invalid")
    })
  )
})

describe("encoding", () => {
  it.effect("gives the same small Opus file for the same samples", () =>
    Effect.gen(function* () {
      const once = yield* Media.encodeOpus(Stream.make(tone(10)))
      const again = yield* Media.encodeOpus(Stream.fromIterable([tone(10).subarray(0, 12_345), tone(10).subarray(12_345)]))
      assert.deepStrictEqual(again, once)
      // A tone takes twice what speech does.
      assert.isBelow(once.length, 64_000)
      assertTone((yield* decoded(bytesInput(once))).samples, 10)
    })
  )

  it.effect("writes WAV whose header is right after every write", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "voxbus-test-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const path = join(folder, "out.wav")
      const pcm = tone(2)
      const writer = yield* Media.wavWriter(path, RATE, 1)
      for (const [from, to] of [
        [0, 1_000],
        [1_000, pcm.length]
      ] as const) {
        yield* writer.write(pcm.subarray(from, to))
        assert.deepStrictEqual(new Uint8Array(readFileSync(path)), new Uint8Array(Media.wavBytes(pcm.subarray(0, to), RATE, 1)))
      }
    }).pipe(Effect.scoped)
  )
})
