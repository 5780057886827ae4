/** A timer: when it is over the assistant says so by itself. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SetTimer } from "../../../contract/TimerCommands.ts"
import { define } from "./define.ts"

export const timer = define({
  name: "set_timer",
  description: "Sets a timer. When it is over the user is told. Timers are lost when the program ends.",
  input: Schema.Struct({
    seconds: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 86_400 })),
    label: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(100)))
  }),
  repeatable: true,
  run: ({ seconds, label = "" }, { ask, session, key }) =>
    Effect.map(ask(SetTimer, { session, id: key, seconds, label }), ({ due }) => `The timer is set; it is over at ${due}.`)
})
