/**
 * A deterministic language model for tests of the program: one to four sentences made of the SHA-256 of the last
 * message, a word a token. It costs microseconds and needs no model. Only by name, never by `auto`.
 *
 * It continues after a `prefix` where it would have gone on anyway: an answer that a crash interrupted ends in the same
 * words as one that was not.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import type { Engine, ReplyPart, ReplyRequest } from "../Engine.ts"

const sentenceOf = (hash: string, n: number): string => `Sentence ${n + 1} of ${hash.slice(1 + n * 8, 9 + n * 8)} ends here.`

/** The whole answer to the last message. */
const answerTo = ({ messages }: Pick<ReplyRequest, "messages">): ReadonlyArray<string> => {
  const hash = createHash("sha256")
    .update(messages.at(-1)?.content ?? "")
    .digest("hex")
  const count = 1 + (Number.parseInt(hash.slice(0, 1), 16) % 4)
  return Array.from({ length: count }, (_, n) => sentenceOf(hash, n))
}

const reply = (request: ReplyRequest): Stream.Stream<ReplyPart> => {
  const whole = answerTo(request).join(" ")
  const rest = whole.startsWith(request.prefix) ? whole.slice(request.prefix.length) : whole
  const words = rest.split(/(?<= )/).filter((word) => word.trim() !== "")
  return Stream.fromIterable<ReplyPart>([
    ...words.map((text): ReplyPart => ({ _tag: "Token", text })),
    {
      _tag: "Done",
      model: "testkit",
      finish: "stop",
      usage: { promptTokens: request.messages.length, completionTokens: words.length }
    }
  ])
}

export const testkit: Engine = {
  name: "testkit",
  speculative: true,
  prepare: Effect.void,
  shape: (messages) => Effect.succeed(messages),
  reply
}
