/**
 * What the calls and questions of the crash test are made of: a few WAV files of tones, from the seed. Every tone is a
 * chunk of its own, because six seconds of silence follow it, so it is known beforehand what must come out.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { wavBytes } from "../../kernel/Media.ts"
import { randomFrom } from "./Plan.ts"

const RATE = 16_000
const TONE = RATE * 0.7
const PAUSE = RATE * 6.6

export interface Wave {
  readonly mode: "call" | "assistant"
  /** Also the title of its sessions, by which the auditor knows them. */
  readonly name: string
  readonly path: string
  readonly chunks: number
}

const tones = (count: number, pitches: ReadonlyArray<number>): Int16Array => {
  const samples = new Int16Array(count * TONE + (count - 1) * PAUSE + RATE / 2)
  for (let n = 0; n < count; n += 1) {
    const step = (2 * Math.PI * (pitches[n] ?? 200)) / RATE
    for (let i = 0; i < TONE; i += 1) samples[n * (TONE + PAUSE) + i] = Math.round(8_000 * Math.sin(i * step))
  }
  return samples
}

/** Writes the files below `folder`: calls of one to three chunks, and questions. */
export const makeWaves = (folder: string, seed: number): ReadonlyArray<Wave> => {
  mkdirSync(folder, { recursive: true })
  const random = randomFrom(seed)
  const make = (mode: Wave["mode"], index: number, chunks: number): Wave => {
    const name = `${mode}-${index}`
    const path = join(folder, `${name}.wav`)
    const pitches = Array.from({ length: chunks }, () => 150 + 600 * random())
    writeFileSync(path, wavBytes(tones(chunks, pitches), RATE, 1))
    return { mode, name, path, chunks }
  }
  return [
    ...[1, 1, 2, 2, 3].map((chunks, index) => make("call", index, chunks)),
    ...Array.from({ length: 8 }, (_, index) => make("assistant", index, 1))
  ]
}
