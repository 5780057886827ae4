/** Speech for tests, made once with the local voice and kept in the temporary folder. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createHash } from "node:crypto"
import { speakerLayer, synthesize } from "../../actors/speaker/index.ts"
import { decodeToTimeline, encodeAudio, type EncoderOptions, resample, wavBytes } from "../../kernel/Media.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { freeCores } from "../../kernel/testkit/Testkit.ts"

const folder = join(tmpdir(), "voxbus-test-speech")

const services = speakerLayer.pipe(Layer.provideMerge(Layer.mergeAll(Models.layer, freeCores(1))), Layer.provideMerge(Settings.layer()))

const keep = async (name: string, make: () => Promise<Uint8Array>): Promise<string> => {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  if (existsSync(path)) return path
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, await make())
  renameSync(draft, path)
  return path
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12)

/** A WAV of these sentences, 16 kHz mono, half a second of silence after each. */
export const speechFile = (sentences: ReadonlyArray<string>): Promise<string> =>
  keep(`${digest(JSON.stringify(sentences))}.wav`, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const samples: Array<number> = []
        for (const sentence of sentences) {
          const { pcm, sampleRate } = yield* synthesize(sentence)
          for (const sample of yield* resample(pcm, sampleRate, 1)) samples.push(sample)
          for (let n = 0; n < 8_000; n += 1) samples.push(0)
        }
        return wavBytes(Int16Array.from(samples), 16_000, 1)
      }).pipe(Effect.provide(services), Effect.scoped)
    )
  )

/** The same audio in another container. */
export const convertedFile = (wav: string, extension: string, options: EncoderOptions): Promise<string> =>
  keep(`${digest(wav)}.${extension}`, () =>
    Effect.runPromise(
      Effect.scoped(Effect.flatMap(decodeToTimeline({ kind: "file", path: wav }), ({ samples }) => encodeAudio(samples, options)))
    )
  )

/** 8 kHz stereo, as telephone systems write it: the voice left, a quieter copy right. */
export const telephoneFile = (wav: string): Promise<string> =>
  keep(`${digest(wav)}-8k.wav`, async () => {
    const bytes = readFileSync(wav)
    const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset + 44))
    const stereo = Int16Array.from({ length: samples.length & ~1 }, (_, index) => {
      const at = (index >> 1) * 2
      const sample = Math.round(((samples[at] ?? 0) + (samples[at + 1] ?? 0)) / 2)
      return index % 2 === 0 ? sample : sample >> 1
    })
    return wavBytes(stereo, 8_000, 2)
  })

/** Seconds of digital silence. */
export const silenceFile = (seconds: number): Promise<string> =>
  keep(`silence-${seconds}.wav`, async () => wavBytes(new Int16Array(seconds * 16_000), 16_000, 1))
