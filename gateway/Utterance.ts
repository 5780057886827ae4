/**
 * One utterance while it comes in over a socket: checks the frames, cuts what is too large for the bus, and hands them to
 * the recorder in order. What is wrong with one frame does not end the utterance; exceeding the limit does.
 *
 * `listenTo` listens along: at each pause what was said so far is published, so that transcriber and reasoner can begin
 * before the end.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Scope } from "effect/Scope"
import type { Session, Take } from "../actors/capture/index.ts"
import { makeEar, remember, type Vad } from "../actors/normalizer/index.ts"
import type { AudioPreviewed } from "../contract/Events.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus, type Bytes } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { traceparent } from "../kernel/Trace.ts"
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

export interface Heard extends Utterance {
  /** Whether a preview of this revision is of this utterance. */
  readonly has: (revision: number) => boolean
}

const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

/** @param heard told of every part that the log has */
export const makeUtterance = (take: Take, { sampleRate, channels }: Format, heard: (part: Bytes) => void = () => undefined): Utterance => {
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
      for (let start = 0; start < pcm.length; start += PART_BYTES) {
        const part = pcm.subarray(start, start + PART_BYTES)
        yield* take.frame(part)
        heard(part)
      }
    }),
    finish: Effect.suspend(() => (over ? Effect.fail(invalid("The utterance was too long and is dropped.")) : take.finish))
  }
}

/** The same, listened to. Lives as long as its scope. */
export const listenTo = Effect.fnUntraced(function* (
  session: Session,
  take: Take,
  format: Format
): Effect.fn.Return<Heard, Failure, Bus | Blobs | Vad | Scope> {
  const bus = yield* Bus
  const blobs = yield* Blobs
  const scope = yield* Effect.scope
  const ear = yield* makeEar(format)
  const utterance = makeUtterance(take, format, ear.push)
  let unit: Fiber.Fiber<number, Failure> | undefined

  /** Nobody waits for it, and nothing is lost without it. */
  const preview = Effect.fnUntraced(
    function* () {
      const previewed = ear.preview()
      if (previewed === undefined || unit === undefined) return
      const { chunk, likely } = previewed
      const bytes = new Uint8Array(chunk.samples.buffer, chunk.samples.byteOffset, chunk.samples.byteLength)
      const { first, last: revision } = take.range()
      const event: typeof AudioPreviewed.Type = {
        _tag: "audio.previewed",
        v: 1,
        mode: session.mode,
        session: session.session,
        start: chunk.start,
        end: chunk.end,
        unit: yield* Fiber.join(unit),
        revision,
        audio: yield* blobs.put(session, bytes, "audio/x-pcm;rate=16000"),
        speech: chunk.speech,
        likely,
        config: session.config
      }
      yield* bus.publish(
        yield* encode(event, {
          actor: "gateway",
          cause: "",
          messageId: `gateway:${session.session}:${first}:${revision}`,
          headers: yield* traceparent
        })
      )
    },
    Effect.catch((failure) => Effect.logDebug("no preview").pipe(Effect.annotateLogs({ reason: failure.message })))
  )

  return {
    has: (revision) => take.range().first > 0 && revision >= take.range().first,
    frame: Effect.fnUntraced(function* (pcm) {
      unit ??= yield* Effect.forkIn(take.expected, scope)
      yield* utterance.frame(pcm)
      yield* Effect.forkIn(preview(), scope)
    }),
    finish: Effect.suspend(() => {
      const range = take.range()
      const heard = range.count > 0 ? ear.finish() : undefined
      if (heard !== undefined) remember(session.session, range, heard)
      return utterance.finish
    })
  }
})
