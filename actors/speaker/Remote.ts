/**
 * What the voices of providers have in common: text in pieces that one request takes, raw samples back.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Failure } from "../../kernel/Failure.ts"
import { type Endpoint, exchange, late, lost, type Request } from "../../kernel/ProviderHttp.ts"

/** Letters or digits: the rest is nothing to be spoken, and nothing to be paid for. */
export const speakable = (text: string): boolean => /[\p{L}\p{N}]/u.test(text)

/** `text` in pieces of at most `most` characters: cut after a sentence, else between words, else where it must be. */
export const pieces = (text: string, most: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  let rest = text.trim()
  while (rest.length > most) {
    const head = rest.slice(0, most)
    const sentence = Math.max(...[". ", "! ", "? ", "\n"].map((end) => head.lastIndexOf(end)))
    const at = sentence > 0 ? sentence + 1 : head.lastIndexOf(" ") > 0 ? head.lastIndexOf(" ") : most
    found.push(rest.slice(0, at).trim())
    rest = rest.slice(at).trim()
  }
  return rest === "" ? found : [...found, rest]
}

/** The body of an answer as `s16le` samples. Packets end where they like, also inside a sample. */
export const pcmOf = (endpoint: Endpoint, request: Request): Effect.Effect<Int16Array, Failure> =>
  exchange(endpoint, request).pipe(
    Effect.flatMap((answer) => Stream.runCollect(Stream.fromAsyncIterable<Uint8Array, Failure>(answer.body, lost(endpoint)))),
    Effect.map((packets) => {
      const bytes = Buffer.concat(packets)
      return Int16Array.from({ length: Math.floor(bytes.length / 2) }, (_, i) => bytes.readInt16LE(i * 2))
    }),
    Effect.timeoutOrElse({ duration: request.totalMs, orElse: () => Effect.fail(late(endpoint, request.totalMs)) }),
    Effect.scoped
  )
