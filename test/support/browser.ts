/**
 * What a page does that records a call: it keeps what is not saved, sends from where it is told to, and goes on after a
 * lost connection. It sends as fast as it is taken.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ClientMessageOf } from "../../gateway/Protocol.ts"
import { connect } from "../../gateway/testkit/Client.ts"

/** 20 ms at 48 kHz. */
const FRAME = 960

export interface Door {
  readonly url: string
  readonly token: string
}

/** A connection of the page; needs a scope. */
export const page = Effect.fnUntraced(function* (door: Door) {
  const client = yield* connect(door)
  const acks = () => client.all("record.ack")
  /** The newest word on the recording, once it is so. */
  const until = (matches: (ack: ReturnType<typeof acks>[number]) => boolean) =>
    Effect.sync(() => acks().at(-1)).pipe(
      Effect.repeat({ until: (ack) => ack !== undefined && matches(ack), schedule: Schedule.spaced("20 millis") }),
      Effect.timeoutOrElse({
        duration: "20 seconds",
        orElse: () => Effect.die(new Error(`it did not come: ${JSON.stringify([acks().at(-1), client.all("error")])}`))
      }),
      Effect.map((ack) => {
        if (ack === undefined) throw new Error("no ack")
        return ack
      })
    )
  return {
    client,
    until,
    start: (options: Omit<ClientMessageOf<"record.start">, "type">) =>
      Effect.andThen(
        client.send({ type: "record.start", ...options }),
        until(({ state }) => state === "recording")
      ),
    join: (session: string, missed = false) =>
      Effect.andThen(
        client.send({ type: "record.join", session, missed }),
        until(({ state }) => state === "recording")
      ),
    act: (action: ClientMessageOf<"record.do">["action"]) => client.send({ type: "record.do", action }),
    /** Sends samples `from` to `to` of a recording of two channels. */
    send: (pcm: Int16Array, from: number, to: number) =>
      Effect.gen(function* () {
        for (let at = from; at < to; at += FRAME)
          yield* client.sendRaw(new Uint8Array(pcm.slice(2 * at, 2 * Math.min(to, at + FRAME)).buffer))
      })
  }
})
