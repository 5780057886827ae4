/** A chunk as an event: its samples in the blob store, its speech, its level. */
import * as Effect from "effect/Effect"
import type { AudioNormalized, ChannelSpan, Event } from "../../contract/Events.ts"
import type { Mode, SessionConfig, SessionId } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { type Chunk, lengthOf } from "./Chunker.ts"

const MEDIA_TYPE = "audio/x-pcm;rate=16000"
/** dBFS of digital silence. */
const SILENCE = -120

/** Whose chunk it is. */
interface Owner {
  readonly mode: Mode
  readonly session: SessionId
  readonly config: SessionConfig
}

const peakDbfs = (samples: Int16Array): number => {
  let peak = 0
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample))
  return peak === 0 ? SILENCE : Math.round(2000 * Math.log10(peak / 32768)) / 100
}

/** @param channels who speaks when, of a recording with two channels */
export const normalized = Effect.fnUntraced(function* (
  owner: Owner,
  unit: number,
  chunk: Chunk,
  channels?: ReadonlyArray<ChannelSpan>
): Effect.fn.Return<Event, Failure, Blobs> {
  const { mode, session, config } = owner
  const { start, end, samples, speech } = chunk
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const audio = yield* (yield* Blobs).put(owner, bytes, MEDIA_TYPE)
  const result: typeof AudioNormalized.Type = {
    _tag: "audio.normalized",
    v: 1,
    mode,
    session,
    start,
    end,
    unit,
    audio,
    speech,
    speechRatio: lengthOf(speech) / (end - start),
    peakDbfs: peakDbfs(samples),
    ...(channels === undefined ? {} : { channels }),
    config
  }
  return result
})
