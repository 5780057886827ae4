/** `voxbus doctor`: what is there, what works, what to do. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { networkPolicy } from "../../kernel/Network.ts"
import { Settings } from "../../kernel/Settings.ts"
import { type Check, diagnose } from "../../models/index.ts"
import { discover } from "../providers/Discover.ts"
import { checkAll } from "../providers/Endpoints.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const STATUS = { ready: "ok", off: "ok", degraded: "warn", down: "warn" } as const

/** The providers that are configured, and servers on this machine that could be. */
const providerChecks = Effect.gen(function* () {
  const states = yield* checkAll.pipe(
    Effect.catch(({ message }) => Effect.succeed([{ name: "keys", url: "", status: "degraded" as const, detail: message }]))
  )
  const known = new Set(states.map(({ url }) => url.replace("//localhost", "//127.0.0.1").replace(/\/+$/, "")))
  const found = (yield* discover([])).filter(({ url }) => !known.has(url))
  return [
    ...states.map(({ name, url, status, detail }): Check => {
      const check = { name: `provider ${name}`, status: STATUS[status], detail: status === "ready" ? `${url}, ${detail}` : detail }
      return check.status === "ok" ? check : { ...check, fix: "See what it says, then: npx voxbus providers check" }
    }),
    ...found.map(({ kind, url, use }): Check => ({
      name: `found ${kind}`,
      status: "ok",
      detail: `${url}, not used. To use it: ${use.map(({ path, value }) => `npx voxbus config set ${path} ${value}`).join(" && ")}`
    }))
  ]
})

const MARKS = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const

export const doctor = Command.make(
  "doctor",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const settings = yield* Settings
    yield* networkPolicy(settings.host.offline)
    const checks = [...(yield* diagnose), ...(yield* providerChecks)]
    const ok = checks.every((check) => check.status !== "fail")
    if (!ok) process.exitCode = 4
    if (json) return yield* printJson({ ok, checks })
    for (const { name, status, detail, fix } of checks)
      yield* printLine(`${MARKS[status]}  ${name.padEnd(22)} ${detail}${fix === undefined ? "" : `\n      ${" ".repeat(22)} -> ${fix}`}`)
    yield* printLine(ok ? "\nEverything that is needed works." : "\nDo what the arrows say, then run it again.")
  }, Effect.scoped)
).pipe(Command.withDescription("Check the machine, the models and the engines"))
