/**
 * Where a question begins and ends in a microphone that is always open. Told piece by piece how long it is and whether
 * somebody speaks in it; knows no clock but the audio itself, so that it works the same however fast the audio comes.
 */

/** Milliseconds of audio. */
export interface Endpoints {
  /** A pause this long is the end. */
  readonly silenceMs: number
  /** Less speech than this is a noise. */
  readonly minSpeechMs: number
  /** The longest question. */
  readonly longestMs: number
}

/** `started`: this piece has the first speech. `ended`: it was a question. `dropped`: it was a noise. */
export type Endpoint = "started" | "ended" | "dropped"

export interface Endpointer {
  readonly push: (ms: number, speaking: boolean) => Endpoint | undefined
  /** Between `started` and its end. */
  readonly open: () => boolean
  /** Milliseconds of speech since `started`. */
  readonly speech: () => number
  /** Forgets what is open. */
  readonly reset: () => void
}

export const makeEndpointer = ({ silenceMs, minSpeechMs, longestMs }: Endpoints): Endpointer => {
  let open = false
  let length = 0
  let speech = 0
  let silence = 0
  const reset = () => {
    open = false
    length = 0
    speech = 0
    silence = 0
  }
  return {
    open: () => open,
    speech: () => speech,
    reset,
    push: (ms, speaking) => {
      if (!open && !speaking) return undefined
      const first = !open
      open = true
      length += ms
      speech += speaking ? ms : 0
      silence = speaking ? 0 : silence + ms
      if (silence < silenceMs && length < longestMs) return first ? "started" : undefined
      const said = speech
      reset()
      return said >= minSpeechMs ? "ended" : "dropped"
    }
  }
}
