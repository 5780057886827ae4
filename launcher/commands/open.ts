/** `voxbus open`: the page of the running instance. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { findInstance } from "../Instance.ts"
import { hasDesktop, oneTimeLink, openPage } from "../OpenPage.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

export const openCommand = Command.make(
  "open",
  {
    print: Flag.Boolean("print").pipe(Flag.withDescription("Print the link and open nothing"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ print, json }) {
    const { home } = yield* Settings
    const gateway = findInstance(home)?.gatewayUrl ?? ""
    if (gateway === "") return yield* new Terminal({ code: "bus.unavailable", message: `No Voxbus with a page runs on ${home}.` })
    const link = yield* oneTimeLink(home, gateway)
    yield* json ? printJson({ link }) : printLine(link)
    if (!print && !json && hasDesktop()) yield* openPage(link)
  })
).pipe(
  Command.withDescription("Open the page of the running instance: a link that works once, within an hour"),
  Command.withExamples([{ command: "voxbus open --print", description: "A link for a browser elsewhere on this machine" }])
)
