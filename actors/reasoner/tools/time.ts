/** What time it is where this runs. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { define } from "./define.ts"

export const time = define({
  name: "current_time",
  description: "The date, the day of the week and the time of the user's machine.",
  input: Schema.Struct({}),
  repeatable: true,
  run: () =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
      const text = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" }).format(now)
      return `${text} (${timeZone}; ${new Date(now).toISOString()})`
    })
})
