/** Serves the commands on dead letters. */
import * as Effect from "effect/Effect"
import { DropLetters, ListLetters, RestoreLetters, RetryLetters, ShowLetter } from "../../contract/DlqCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { chosen, letters, letterWithBody, markLetter, retryLetter } from "../../kernel/Letters.ts"

const list = handler(ListLetters, ({ all }) =>
  Effect.map(letters, (found) => ({
    letters: all === true ? found : found.filter(({ state }) => state === "open" || state === "retrying")
  }))
)
const show = handler(ShowLetter, ({ id }) => letterWithBody(id))
const retry = handler(RetryLetters, (choice) =>
  Effect.map(Effect.flatMap(chosen(choice), Effect.forEach(retryLetter)), (retried) => ({ letters: retried }))
)
const drop = handler(DropLetters, (choice) =>
  Effect.map(
    Effect.flatMap(
      chosen(choice),
      Effect.forEach((letter) => markLetter(letter, "dropped"))
    ),
    (dropped) => ({ letters: dropped })
  )
)
const restore = handler(RestoreLetters, (choice) =>
  Effect.map(
    Effect.flatMap(
      chosen(choice),
      Effect.forEach((letter) => markLetter(letter, "restored"))
    ),
    (restored) => ({ letters: restored })
  )
)

export const dlqHandlers = [list, show, retry, drop, restore]
