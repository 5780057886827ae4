/**
 * A person at a WebSocket: speaks an utterance in real time, 40 ms a frame, lets go of the button, and notes when the
 * first byte of the answer's audio came.
 */
import * as Effect from "effect/Effect"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { type Client, connect } from "../../gateway/testkit/Client.ts"
import { Terminal } from "../../kernel/Failure.ts"
import type { Speech } from "./Fixtures.ts"

const FRAME_MS = 40
const FRAME = (TIMELINE_RATE * FRAME_MS) / 1000

export interface Talked {
  readonly turn: number
  /** Epoch milliseconds: the end of speech, just before `utterance.end` is sent, and the first byte of audio. */
  readonly endAt: number
  readonly firstByteAt: number
  /** What was said, and what was answered. */
  readonly transcript: string
  readonly reply: string
}

export const now = (): number => performance.timeOrigin + performance.now()

const frames = function* (pcm: Int16Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < pcm.length; at += FRAME) yield new Uint8Array(pcm.slice(at, at + FRAME).buffer)
}

/** One turn, to the last byte of its answer. */
const talk = Effect.fnUntraced(function* (client: Client, turn: number, { pcm }: Speech) {
  yield* client.send({ type: "utterance.start", sampleRate: TIMELINE_RATE })
  const begun = performance.now()
  let sent = 0
  for (const frame of frames(pcm)) {
    // A frame leaves when its last sample was spoken.
    sent += 1
    const due = begun + sent * FRAME_MS - performance.now()
    if (due > 0) yield* Effect.sleep(due)
    yield* client.sendRaw(frame)
  }
  const endAt = now()
  yield* client.send({ type: "utterance.end" })
  const wordless = client.until("rejected", (message) => message.turn === turn)
  const failed = client.until("error")
  const ending = yield* Effect.raceAllFirst([client.until("speech.done", (message) => message.turn === turn), wordless, failed])
  if (ending.type !== "speech.done") {
    return yield* new Terminal({ code: "turn.stalled", message: `Turn ${turn} was not answered: ${ending.message}` })
  }
  const spoken = client.all("speech").filter((message) => message.turn === turn)
  const firstByteAt = client.received.find(
    ({ message, audioAt }) => message.type === "speech" && message.turn === turn && audioAt !== undefined
  )?.audioAt
  if (firstByteAt === undefined) return yield* new Terminal({ code: "turn.stalled", message: `Turn ${turn} was answered without audio.` })
  const samples = spoken.reduce((total, message) => total + message.samples, 0)
  yield* client.send({ type: "played", turn, generation: 0, samples, sentences: spoken.length, interrupted: false })
  yield* client.until("turn", (message) => message.turn === turn && message.state === "IDLE")
  const talked: Talked = {
    turn,
    endAt,
    firstByteAt,
    transcript: client.all("transcript").find((message) => message.turn === turn)?.text ?? "",
    reply: client.all("reply.done").find((message) => message.turn === turn)?.text ?? ""
  }
  return talked
})

/** A conversation: one connection, one session, a turn for each utterance. */
export const conversation = Effect.fnUntraced(function* (
  gateway: string,
  speeches: ReadonlyArray<Speech>,
  onTurn: (talked: Talked) => void
) {
  const client = yield* connect(gateway)
  const turns = yield* Effect.forEach(speeches, (speech, index) =>
    talk(client, index + 1, speech).pipe(Effect.tap((talked) => Effect.sync(() => onTurn(talked))))
  )
  const session = client.all("ready").at(-1)?.session ?? ""
  return { session, turns }
}, Effect.scoped)
