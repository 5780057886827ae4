/**
 * The turns of one conversation as a client sees them: events of the log in, messages and sentences to speak out.
 * No clock, no bus: what it answers depends only on what it was told.
 *
 * Sentences are spoken in order, whatever order they arrive in. Output of a cancelled turn or of an older generation is
 * dropped. A sentence that could not be spoken ends the speech of its turn: the text is complete, the audio has no holes.
 */
import type { ErrorRaised, EventOf, RejectReason, SessionEvent } from "../contract/Events.ts"
import { problem, type ServerMessage, type TurnState } from "./Protocol.ts"

type Speech = EventOf<"speech.synthesized">

export type Action =
  | { readonly _tag: "send"; readonly message: ServerMessage }
  /** Fetch the audio and send it; ask `isStale` again before it goes out. */
  | { readonly _tag: "speak"; readonly speech: Speech }

interface Turn {
  state: TurnState
  /** Newest generation seen; -1 before any output. */
  generation: number
  /** Output up to and with this generation is dropped. */
  cancelled: number
  /** The generation that was declared over on the log; -1 when none was. */
  over: number
  /** Epoch milliseconds of the last sign of life. */
  touched: number
  /** Begun here; its first event has not come yet. */
  awaited: boolean
  /** Sentence to be spoken next, and those that came before their turn. */
  next: number
  readonly waiting: Map<number, Speech>
  /** Newest sentence of the reply, and how many there are once that is known. */
  drafted: number
  sentences: number | undefined
  /** A sentence could not be spoken. */
  mute: boolean
  /** Everything there is to hear has been handed out. */
  complete: boolean
}

/** Turns kept to judge late events by. */
const REMEMBERED = 64

const WORDLESS: Record<RejectReason, string> = {
  silence: "I did not hear anything. Check the microphone, and hold the button while you speak.",
  no_speech: "I did not hear any words.",
  repetition: "I could not make out the words. Please say it again.",
  marker: "I heard a sound, but no words.",
  prompt: "I did not hear any words.",
  cancelled: "Cancelled.",
  no_wake_word: "That was not for me."
}

const send = (message: ServerMessage): Action => ({ _tag: "send", message })

export interface Turns {
  /** A turn exists: it was captured, or is part of the session's past (then nothing of it is waited for). */
  readonly begin: (unit: number, now: number, past?: boolean) => void
  readonly knows: (unit: number) => boolean
  /** Actions of one event, in order. `now` is epoch milliseconds. */
  readonly observe: (event: SessionEvent, now: number) => ReadonlyArray<Action>
  /** The client does not want the rest. Returns the generation that is over. */
  readonly cancel: (unit: number) => { readonly generation: number; readonly actions: ReadonlyArray<Action> }
  /** Turns that are not over: something of them may still be thought, spoken or played. */
  readonly active: () => ReadonlyArray<number>
  /** The client has played what there was. */
  readonly played: (unit: number) => ReadonlyArray<Action>
  /** Audio of it has been handed out. */
  readonly isAudible: (unit: number) => boolean
  readonly isStale: (unit: number, generation: number) => boolean
  /** The audio of a sentence could not be fetched. */
  readonly lost: (unit: number) => ReadonlyArray<Action>
  /** Ends turns that showed no sign of life for `patienceMs`. */
  readonly stalled: (now: number, patienceMs: number) => ReadonlyArray<Action>
}

export const makeTurns = (): Turns => {
  const turns = new Map<number, Turn>()
  let highest = 0

  const begin = (unit: number, now: number): Turn => {
    const known = turns.get(unit)
    if (known !== undefined) return known
    const turn: Turn = {
      state: "IDLE",
      generation: -1,
      cancelled: -1,
      over: -1,
      touched: now,
      awaited: true,
      next: 1,
      waiting: new Map(),
      drafted: 0,
      sentences: undefined,
      mute: false,
      complete: false
    }
    turns.set(unit, turn)
    highest = Math.max(highest, unit)
    turns.delete(highest - REMEMBERED)
    return turn
  }

  const enter = (unit: number, turn: Turn, state: TurnState): ReadonlyArray<Action> => {
    if (turn.state === state) return []
    turn.state = state
    return [send({ type: "turn", turn: unit, state })]
  }

  /** Sentences whose turn has come, then the end when all were handed out. */
  const release = (unit: number, turn: Turn): ReadonlyArray<Action> => {
    const actions: Array<Action> = []
    for (let speech = turn.waiting.get(turn.next); speech !== undefined && !turn.mute; speech = turn.waiting.get(turn.next)) {
      turn.waiting.delete(turn.next)
      turn.next += 1
      actions.push(...enter(unit, turn, "SPEAKING"), { _tag: "speak", speech })
    }
    if (turn.complete || turn.sentences === undefined || (turn.next <= turn.sentences && !turn.mute)) return actions
    turn.complete = true
    turn.waiting.clear()
    actions.push(send({ type: "speech.done", turn: unit, generation: Math.max(0, turn.generation) }))
    // Nothing is being played: nobody will report the end of it.
    return turn.state === "SPEAKING" ? actions : [...actions, ...enter(unit, turn, "IDLE")]
  }

  /** False for output that is not wanted any more; a newer generation starts the reply anew. */
  const accepts = (turn: Turn, generation: number): boolean => {
    if (generation <= turn.cancelled || generation < turn.generation) return false
    if (generation !== turn.generation) {
      Object.assign(turn, { generation, next: 1, drafted: 0, sentences: undefined, mute: false, complete: false })
      turn.waiting.clear()
    }
    return true
  }

  const silence = (unit: number, turn: Turn): ReadonlyArray<Action> => {
    turn.mute = true
    return release(unit, turn)
  }

  const failed = (event: typeof ErrorRaised.Type, now: number): ReadonlyArray<Action> => {
    const error = send(problem(event.code, event.message, event.unit))
    if (event.unit === undefined) return [error]
    const turn = begin(event.unit, now)
    turn.awaited = false
    if (turn.cancelled >= 0) return []
    if (event.subject.startsWith("reply.drafted.")) return [error, ...silence(event.unit, turn)]
    // Nothing follows but the speech of what was drafted before.
    turn.sentences ??= turn.drafted
    return [error, ...(turn.drafted === 0 ? enter(event.unit, turn, "IDLE") : release(event.unit, turn))]
  }

  /** Of a question that is not complete; once its words are final nothing of it is shown any more. */
  const partial = ({ unit, text }: EventOf<"text.partial">): ReadonlyArray<Action> => {
    const turn = turns.get(unit)
    const open = turn === undefined ? unit > highest : turn.cancelled < 0 && (turn.awaited || turn.state === "TRANSCRIBING")
    return open && text !== "" ? [send({ type: "partial", turn: unit, text })] : []
  }

  const observe = (event: SessionEvent, now: number): ReadonlyArray<Action> => {
    if (event._tag === "error.raised") return failed(event, now)
    if (!("unit" in event)) return []
    // Of a turn that may never be: nothing is waited for.
    if (event._tag === "audio.previewed") return []
    if (event._tag === "text.partial") return partial(event)
    const { unit } = event
    const turn = begin(unit, now)
    turn.touched = now
    turn.awaited = false
    switch (event._tag) {
      case "audio.captured":
        return turn.cancelled >= 0 || turn.state !== "IDLE" ? [] : enter(unit, turn, "TRANSCRIBING")
      case "text.transcribed":
        return turn.cancelled >= 0 ? [] : [send({ type: "transcript", turn: unit, text: event.text }), ...enter(unit, turn, "THINKING")]
      case "text.rejected":
        if (turn.cancelled >= 0) return []
        // Not a word of it: people talk all day beside a microphone that is open.
        return event.reason === "no_wake_word"
          ? enter(unit, turn, "IDLE")
          : [send({ type: "rejected", turn: unit, reason: event.reason, message: WORDLESS[event.reason] }), ...enter(unit, turn, "IDLE")]
      case "reply.drafted": {
        if (!accepts(turn, event.generation)) return []
        turn.drafted = Math.max(turn.drafted, event.sentence)
        return [send({ type: "reply", turn: unit, generation: event.generation, sentence: event.sentence, text: event.text })]
      }
      case "reply.ready": {
        if (!accepts(turn, event.generation)) return []
        turn.sentences = event.sentences
        return [send({ type: "reply.done", turn: unit, generation: event.generation, text: event.text }), ...release(unit, turn)]
      }
      case "speech.synthesized": {
        if (!accepts(turn, event.generation) || event.sentence < turn.next) return []
        turn.waiting.set(event.sentence, event)
        return release(unit, turn)
      }
      case "turn.cancelled": {
        turn.over = Math.max(turn.over, event.generation)
        turn.cancelled = Math.max(turn.cancelled, event.generation)
        return turn.generation <= turn.cancelled ? drop(unit, turn) : []
      }
      default:
        return []
    }
  }

  /** Of a turn without output yet: the one its reply will have, which is above every cancelled one before it. */
  const generationOf = (unit: number, turn: Turn): number =>
    turn.generation >= 0 ? turn.generation : Math.max(0, ...[...turns].map(([other, { over }]) => (other < unit ? over + 1 : 0)))

  const drop = (unit: number, turn: Turn): ReadonlyArray<Action> => {
    turn.waiting.clear()
    turn.complete = true
    turn.awaited = false
    return enter(unit, turn, "IDLE")
  }

  return {
    begin: (unit, now, past = false) => {
      const turn = begin(unit, now)
      if (past) turn.awaited = false
    },
    active: () => [...turns].flatMap(([unit, { state, awaited }]) => (state !== "IDLE" || awaited ? [unit] : [])),
    knows: (unit) => unit >= 1 && unit <= highest,
    observe,
    cancel: (unit) => {
      const turn = turns.get(unit)
      if (turn === undefined) return { generation: 0, actions: [] }
      turn.over = generationOf(unit, turn)
      turn.cancelled = Number.POSITIVE_INFINITY
      return { generation: turn.over, actions: drop(unit, turn) }
    },
    played: (unit) => {
      const turn = turns.get(unit)
      return turn === undefined ? [] : enter(unit, turn, "IDLE")
    },
    isAudible: (unit) => turns.get(unit)?.state === "SPEAKING",
    isStale: (unit, generation) => {
      const turn = turns.get(unit)
      return turn !== undefined && (generation <= turn.cancelled || generation < turn.generation)
    },
    lost: (unit) => {
      const turn = turns.get(unit)
      return turn === undefined ? [] : silence(unit, turn)
    },
    stalled: (now, patienceMs) =>
      [...turns].flatMap(([unit, turn]) => {
        if ((turn.state === "IDLE" && !turn.awaited) || turn.complete || now - turn.touched < patienceMs) return []
        turn.awaited = false
        const seconds = Math.round(patienceMs / 1000)
        return [send(problem("turn.stalled", `Nothing has happened for ${seconds} seconds.`, unit)), ...enter(unit, turn, "IDLE")]
      })
  }
}
