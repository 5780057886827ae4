/**
 * Tokens of a model to sentences fit for a voice. A sentence leaves when it is complete, when the model pauses for
 * 400 ms (Home Assistant once stranded half a sentence there for the length of the pause), or at the end.
 *
 * When the tokens end in a failure, what is not a whole sentence is dropped: the next try continues after the last one.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type Hidden, rest, reveal, visible } from "./Hidden.ts"
import { cut, cutAtPause } from "./Sentences.ts"
import { spoken } from "./Spoken.ts"

/** Milliseconds without a token after which what is there is said. */
export const PAUSE_MS = 400

interface State {
  readonly hidden: Hidden
  readonly text: string
  /** Nothing was said yet. */
  readonly first: boolean
  /** The model pauses, and what could be said was. */
  readonly paused: boolean
}

type Input = { readonly _tag: "Text"; readonly text: string } | { readonly _tag: "Pause" } | { readonly _tag: "End" }

const PAUSE: Input = { _tag: "Pause" }
const END: Input = { _tag: "End" }

const advance = (state: State, input: Input): readonly [ReadonlyArray<string>, State] => {
  const [hidden, more] =
    input._tag === "Text" ? reveal(state.hidden, input.text) : [state.hidden, input._tag === "End" ? rest(state.hidden) : ""]
  const text = state.text + more
  const { sentences, rest: left } =
    input._tag === "Pause" ? cutAtPause(text) : cut(text, { first: state.first, final: input._tag === "End" })
  const said = sentences.map(spoken).filter((sentence) => sentence !== "")
  return [said, { hidden, text: left, first: state.first && said.length === 0, paused: input._tag === "Pause" }]
}

/**
 * @param tokens text in pieces of any size
 * @param options.continues the text goes on after sentences that were said before
 * @returns sentences without markup, none of them empty
 */
export const sentences = <E, R>(
  tokens: Stream.Stream<string, E, R>,
  options: { readonly continues: boolean } = { continues: false }
): Stream.Stream<string, E, R> =>
  Stream.unwrap(
    Effect.map(Stream.toQueue(tokens, { capacity: "unbounded" }), (queue) => {
      const next = Queue.take(queue).pipe(Effect.map((text): Input => ({ _tag: "Text", text })))
      const orPause = next.pipe(Effect.timeoutOption(PAUSE_MS), Effect.map(Option.getOrElse(() => PAUSE)))
      const start: State = { hidden: visible, text: "", first: !options.continues, paused: false }
      return Stream.paginate(start, (state) =>
        (state.paused || state.text.trim() === "" ? next : orPause).pipe(
          Pull.catchDone(() => Effect.succeed(END)),
          Effect.map((input) => {
            const [said, after] = advance(state, input)
            return [said, input._tag === "End" ? Option.none<State>() : Option.some(after)] as const
          })
        )
      )
    })
  )
