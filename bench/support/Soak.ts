/**
 * A person who talks without end, hands-free: asks, hears the answer out, interrupts it, makes a noise into it, says stop.
 * A seed decides what and when. Counts what must never be: audio of an answer that is over, and a turn that does not end.
 *
 * Audio is sent as fast as it is taken; the ends of questions are found by the clock of the audio, so nothing waits.
 */
import * as Effect from "effect/Effect"
import type { ClientMessage, ServerMessage } from "../../gateway/Protocol.ts"
import { heardTone, QUIET } from "../../test/support/voice.ts"
import { connect, now } from "./Socket.ts"
import { type Quantiles, quantiles } from "./Stats.ts"

const RATE = 16_000
const PATIENCE = "60 seconds"
/** Milliseconds: a pause that ends a question, and then some. */
const PAUSE = 760
/** Turns of one conversation; then the person hangs up and calls again. */
const CONVERSATION = 100

export interface SoakOptions {
  readonly gateway: string
  readonly home: string
  readonly turns: number
  readonly bargeIns: number
  readonly seed: number
  readonly onTurn?: (turns: number) => Effect.Effect<void>
}

export interface Soaked {
  readonly turns: number
  readonly bargeIns: number
  /** Answers that went on after a noise, turns that ended by "stop", turns without words. */
  readonly resumed: number
  readonly stopped: number
  readonly wordless: number
  readonly conversations: number
  /** Must be 0. */
  readonly stale: number
  readonly stuck: number
  readonly errors: number
  /** Milliseconds from sending the first speech to being told to hold the answer. */
  readonly holdMs: Quantiles
}

/** The same numbers for the same seed, 0..1. */
const numbers = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Heard {
  readonly generation: number
  samples: number
  sentences: number
}

/** What the client knows; bounded by the length of a conversation. */
const makeKnown = () => ({
  heard: new Map<number, Heard>(),
  over: new Set<number>(),
  idle: new Set<number>(),
  interrupted: new Map<number, number>(),
  started: 0,
  dropped: 0,
  ended: 0,
  turn: 0,
  wordless: 0,
  stale: 0,
  errors: 0
})

/** One connection: a player that reports what it played, and a way to wait. */
const converseOver = Effect.fnUntraced(function* (options: Pick<SoakOptions, "gateway" | "home">) {
  const known = makeKnown()
  const send = (message: ClientMessage) => socket.send(JSON.stringify(message))
  const played = (turn: number, interrupted: boolean) => {
    const { generation, samples, sentences } = known.heard.get(turn) ?? { generation: 0, samples: 0, sentences: 0 }
    const heard = interrupted ? { samples: Math.floor(samples / 2), sentences: 0 } : { samples, sentences }
    send({ type: "played", turn, generation, ...heard, interrupted })
  }
  const receive = (message: ServerMessage) => {
    switch (message.type) {
      case "voice.started":
        return void (known.started += 1)
      case "voice.dropped":
        return void (known.dropped += 1)
      case "voice.ended":
        known.ended += 1
        return void (known.turn = message.turn)
      case "interrupted":
        known.interrupted.set(message.turn, message.generation)
        if (known.heard.has(message.turn)) played(message.turn, true)
        return
      case "speech": {
        const { turn, generation, samples } = message
        if (generation <= (known.interrupted.get(turn) ?? -1)) known.stale += 1
        const before = known.heard.get(turn)
        const heard = before?.generation === generation ? before : { generation, samples: 0, sentences: 0 }
        heard.samples += samples
        heard.sentences += 1
        return void known.heard.set(turn, heard)
      }
      case "rejected":
        known.wordless += 1
        return void known.over.add(message.turn)
      case "speech.done":
        return void known.over.add(message.turn)
      case "error":
        known.errors += 1
        return message.turn === undefined ? undefined : void known.over.add(message.turn)
      case "turn":
        return message.turn !== undefined && message.state === "IDLE" ? void known.idle.add(message.turn) : undefined
      default:
        return
    }
  }
  const { socket, when } = yield* connect(options, PATIENCE, (message) => {
    if (message !== undefined) receive(message)
  })
  return { known, send, sound: (pcm: Uint8Array<ArrayBuffer>) => socket.send(pcm), played, when }
})

export const runSoak = Effect.fnUntraced(function* (options: SoakOptions) {
  const next = numbers(options.seed)
  const between = (low: number, high: number) => Math.round(low + next() * (high - low))
  const counts = { turns: 0, bargeIns: 0, resumed: 0, stopped: 0, wordless: 0, conversations: 0, stale: 0, stuck: 0, errors: 0 }
  const holds: Array<number> = []
  let spoken = 0

  const converse = Effect.gen(function* () {
    const { known, send, sound, played, when } = yield* converseOver(options)
    const until = Math.min(options.turns, counts.turns + CONVERSATION)
    send({ type: "listen", sampleRate: RATE, echoCancellation: true })
    counts.conversations += 1

    /** Speaks; returns whether it became a turn. */
    const speak = Effect.fnUntraced(function* (ms: number, times: Array<number>) {
      const { ended, dropped, started } = known
      const from = now()
      sound(heardTone(options.seed * 1_000_000 + (spoken += 1), ms))
      yield* when("voice.started", () => known.started > started)
      times.push(now() - from)
      sound(QUIET(PAUSE))
      yield* when("voice.ended", () => known.ended > ended || known.dropped > dropped)
      return known.ended > ended
    })

    const answered = Effect.fnUntraced(function* (turn: number) {
      yield* when(`the answer of turn ${turn}`, () => known.over.has(turn) || known.interrupted.has(turn))
      if (known.interrupted.has(turn)) return
      if (known.heard.has(turn)) played(turn, false)
      yield* when(`the end of turn ${turn}`, () => known.idle.has(turn))
    })

    const step = Effect.gen(function* () {
      sound(QUIET(between(40, 400)))
      if (!(yield* speak(between(300, 900), []))) return
      counts.turns += 1
      let { turn } = known
      const wanted = (options.bargeIns - counts.bargeIns) / Math.max(1, options.turns - counts.turns)
      while (counts.turns < until && next() < wanted) {
        // Into the thinking, or into the answer.
        if (next() < 0.6) yield* when("an answer", () => known.heard.has(turn) || known.over.has(turn))
        const isTurn = yield* speak(next() < 0.1 ? 48 : between(300, 900), holds)
        if (known.interrupted.has(turn)) counts.bargeIns += 1
        else yield* answered(turn)
        if (!isTurn) return void (counts.resumed += 1)
        counts.turns += 1
        turn = known.turn
      }
      if (next() < 0.03) {
        send({ type: "stop" })
        send({ type: "ping" })
        yield* when("the stop", () => known.interrupted.has(turn) || known.idle.has(turn))
        counts.stopped += 1
      }
      yield* answered(turn)
    })

    while (counts.turns < until) {
      yield* step
      if (options.onTurn !== undefined) yield* options.onTurn(counts.turns)
    }
    counts.wordless += known.wordless
    counts.stale += known.stale
    counts.errors += known.errors
  }).pipe(Effect.scoped)

  while (counts.turns < options.turns && counts.stuck === 0) {
    yield* converse.pipe(
      Effect.catchTag("Terminal", (failure) =>
        failure.code === "turn.stalled"
          ? Effect.andThen(
              Effect.sync(() => void (counts.stuck += 1)),
              Effect.logError(failure.message)
            )
          : Effect.fail(failure)
      )
    )
  }
  const soaked: Soaked = { ...counts, holdMs: quantiles(holds) }
  return soaked
})
