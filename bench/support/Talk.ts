/**
 * A person at a WebSocket: speaks an utterance in real time, 40 ms a frame, lets go of the button, notes when the first
 * byte of the answer's audio comes, and hears it out.
 */
import * as Effect from "effect/Effect"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { Terminal } from "../../kernel/Failure.ts"
import type { Speech } from "./Fixtures.ts"
import { now, openSocket, type Socket } from "./Socket.ts"

const FRAME_MS = 40
const FRAME = (TIMELINE_RATE * FRAME_MS) / 1000

export interface Talked {
  readonly turn: number
  /** Epoch milliseconds: the end of speech, just before `utterance.end` is sent, and the first byte of audio. */
  readonly endAt: number
  readonly firstByteAt: number
  /** What was understood. */
  readonly transcript: string
}

const frames = function* (pcm: Int16Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < pcm.length; at += FRAME) yield new Uint8Array(pcm.slice(at, at + FRAME).buffer)
}

/** One turn, to the last byte of its answer. */
const talk = Effect.fnUntraced(function* (socket: Socket, turn: number, { pcm }: Speech, listen: boolean) {
  yield* socket.send({ type: "utterance.start", sampleRate: TIMELINE_RATE })
  const begun = performance.now()
  let sent = 0
  for (const frame of frames(pcm)) {
    // A frame leaves when its last sample was spoken.
    sent += 1
    const due = begun + sent * FRAME_MS - performance.now()
    if (due > 0) yield* Effect.sleep(due)
    yield* socket.sendAudio(frame)
  }
  const endAt = now()
  yield* socket.send({ type: "utterance.end" })
  const ofTurn = ({ message }: { readonly message: { readonly turn?: number } }) => message.turn === turn
  const ended = () => [...socket.all("rejected"), ...socket.all("error")].find(ofTurn) ?? socket.all("speech.done").find(ofTurn)
  yield* socket.when("answer", () => ended() !== undefined)
  const ending = ended()?.message
  if (ending?.type !== "speech.done") {
    return yield* new Terminal({ code: "turn.stalled", message: `Turn ${turn} was not answered: ${ending?.message ?? ""}` })
  }
  const spoken = socket.all("speech").filter(ofTurn)
  const total = spoken.reduce((bytes, { message }) => bytes + message.bytes, 0)
  const firstByteAt = spoken.find(({ audioAt }) => audioAt !== undefined)?.audioAt
  if (firstByteAt === undefined) return yield* new Terminal({ code: "turn.stalled", message: `Turn ${turn} was answered without audio.` })
  if (listen) {
    // The answer plays from its first byte on; what comes later comes faster than it is played.
    const rate = spoken[0]?.message.sampleRate ?? TIMELINE_RATE
    yield* Effect.sleep(Math.max(0, firstByteAt + (1000 * total) / 2 / rate - now()))
  }
  yield* socket.send({ type: "played", turn, generation: 0, samples: total / 2, sentences: spoken.length, interrupted: false })
  yield* socket.when("end of the turn", () => socket.all("turn").some(({ message }) => message.turn === turn && message.state === "IDLE"))
  const talked: Talked = { turn, endAt, firstByteAt, transcript: socket.all("transcript").find(ofTurn)?.message.text ?? "" }
  return talked
})

/** A conversation: one connection, one session, a turn for each utterance. */
export const conversation = Effect.fnUntraced(function* (
  instance: { readonly gateway: string; readonly home: string },
  speeches: ReadonlyArray<Speech>,
  options: {
    /** Hear every answer out before the next question, as people do; else ask at once. */
    readonly listen: boolean
    readonly onTurn: (talked: Talked) => void
  }
) {
  const socket = yield* openSocket(instance)
  const turns = yield* Effect.forEach(speeches, (speech, index) =>
    talk(socket, index + 1, speech, options.listen).pipe(Effect.tap((talked) => Effect.sync(() => options.onTurn(talked))))
  )
  const session = socket.all("ready").at(-1)?.message.session ?? ""
  return { session, turns }
}, Effect.scoped)
