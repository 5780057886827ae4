/**
 * How loud it is, ten times a second, and what deserves a warning: a clipped signal, or nothing but silence. Pure.
 *
 * dBFS: 0 is full scale, -120 digital silence.
 */
import type { Bytes } from "../../kernel/Bus.ts"

export interface Level {
  /** Per channel, dBFS. */
  readonly peak: ReadonlyArray<number>
  readonly rms: ReadonlyArray<number>
}

export interface Measured {
  readonly levels: ReadonlyArray<Level>
  readonly warnings: ReadonlyArray<"clipping" | "silence">
}

const SILENT = -120
/** Samples at the very end of the scale within a second from which it is clipping. */
const CLIPPED = 20
const FULL = 32_760
/** Louder than this is not silence, dBFS. */
const QUIET = -60
/** Seconds of silence until it is worth a word, and before the same is said again. */
const SILENCE_S = 10
const AGAIN_S = 60

const db = (value: number) => (value <= 0 ? SILENT : Math.max(SILENT, Math.round(200 * Math.log10(value / 32768)) / 10))

export const makeMeter = (sampleRate: number, channels: number) => {
  const window = Math.round(sampleRate / 10)
  let peak = new Array<number>(channels).fill(0)
  let energy = new Array<number>(channels).fill(0)
  let filled = 0
  let clipped = 0
  let seconds = 0
  let quietSince = 0
  const said = { clipping: -Infinity, silence: -Infinity }

  const once = (kind: keyof typeof said): ReadonlyArray<keyof typeof said> => {
    if (seconds - said[kind] < AGAIN_S) return []
    said[kind] = seconds
    return [kind]
  }

  /** One level is complete. */
  const close = (): Measured => {
    const level = { peak: peak.map(db), rms: energy.map((sum) => db(Math.sqrt(sum / window))) }
    const before = Math.floor(seconds)
    seconds += 0.1
    if (Math.max(...level.peak) > QUIET) quietSince = seconds
    const warnings = [...(clipped >= CLIPPED ? once("clipping") : []), ...(seconds - quietSince >= SILENCE_S ? once("silence") : [])]
    if (Math.floor(seconds) !== before) clipped = 0
    peak = new Array<number>(channels).fill(0)
    energy = new Array<number>(channels).fill(0)
    filled = 0
    return { levels: [level], warnings }
  }

  return {
    push: (pcm: Bytes): Measured => {
      const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength)
      const levels: Array<Level> = []
      const warnings: Array<"clipping" | "silence"> = []
      for (let at = 0; at + 2 * channels <= pcm.byteLength; at += 2 * channels) {
        for (let channel = 0; channel < channels; channel += 1) {
          const sample = Math.abs(view.getInt16(at + 2 * channel, true))
          if (sample > (peak[channel] ?? 0)) peak[channel] = sample
          if (sample >= FULL) clipped += 1
          energy[channel] = (energy[channel] ?? 0) + sample * sample
        }
        filled += 1
        if (filled === window) {
          const measured = close()
          levels.push(...measured.levels)
          warnings.push(...measured.warnings)
        }
      }
      return { levels, warnings }
    }
  }
}
