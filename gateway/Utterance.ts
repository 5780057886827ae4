/**
 * One utterance while it comes in over a socket: checks the frames, cuts what is too large for the bus, and hands them
 * to the recorder in order. What is wrong with one frame does not end the utterance; exceeding the limit does.
 */
import * as Effect from "effect/Effect"
import type { Take } from "../actors/capture/index.ts"
import type { Bytes } from "../kernel/Bus.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { MAX_UTTERANCE_SECONDS } from "./Protocol.ts"

/** Bytes of a frame on the bus; whole samples of one or two channels, far below the 1 MiB that NATS allows. */
const PART_BYTES = 128 * 1024

export interface Format {
  /** Hertz. */
  readonly sampleRate: number
  readonly channels: number
}

export interface Utterance {
  readonly frame: (pcm: Bytes) => Effect.Effect<void, Failure>
  readonly finish: Effect.Effect<{ readonly unit: number }, Failure>
}

const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

export const makeUtterance = (take: Take, { sampleRate, channels }: Format): Utterance => {
  const sampleBytes = 2 * channels
  let left = MAX_UTTERANCE_SECONDS * sampleRate * sampleBytes
  /** Over the limit: said once, then the rest is ignored until the client ends the utterance. */
  let over = false
  return {
    frame: Effect.fnUntraced(function* (pcm) {
      if (over) return
      if (pcm.length % sampleBytes !== 0) {
        return yield* invalid(
          `A frame of ${pcm.length} bytes is not whole samples: s16le with ${channels} channel(s) has ${sampleBytes} bytes each.`
        )
      }
      left -= pcm.length
      if (left < 0) {
        over = true
        return yield* invalid(`The utterance is longer than ${MAX_UTTERANCE_SECONDS / 60} minutes. Import a file as a call instead.`)
      }
      for (let start = 0; start < pcm.length; start += PART_BYTES) yield* take.frame(pcm.subarray(start, start + PART_BYTES))
    }),
    finish: Effect.suspend(() => (over ? Effect.fail(invalid("The utterance was too long and is dropped.")) : take.finish))
  }
}
