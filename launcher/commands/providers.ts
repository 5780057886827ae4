/** `voxbus providers [check | discover | voices]`: who can be asked, and who is there to be used. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { CheckProviders, DiscoverProviders, ListVoices } from "../../contract/ProviderCommands.ts"
import { providerHandlers } from "../handlers/Providers.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"
import { query } from "../Query.ts"

const check = Command.make(
  "check",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const { providers } = yield* query(providerHandlers, CheckProviders, {})
    if (json) return yield* printJson({ providers })
    for (const { name, status, url, detail } of providers) yield* printLine(`${status.padEnd(9)} ${name.padEnd(11)} ${url}  ${detail}`)
    if (providers.length === 0) yield* printLine("No provider is configured: everything runs on this machine.")
  }, Effect.scoped)
).pipe(Command.withDescription("Ask the configured providers whether they answer and accept the key"))

const discover = Command.make(
  "discover",
  { port: Flag.Int("port").pipe(Flag.withDescription("A port to look at besides the usual ones"), Flag.atLeast(0)), json: jsonFlag },
  Effect.fn(function* ({ port, json }) {
    const { found } = yield* query(providerHandlers, DiscoverProviders, { ports: port })
    if (json) return yield* printJson({ found })
    for (const { kind, url, models, use } of found) {
      yield* printLine(`${kind} at ${url}${models.length === 0 ? "" : `: ${models.slice(0, 5).join(", ")}`}`)
      for (const { path, value } of use) yield* printLine(`  npx voxbus config set ${path} ${value}`)
    }
    if (found.length === 0) yield* printLine("No language model server runs on the usual ports of this machine.")
  }, Effect.scoped)
).pipe(Command.withDescription("Look for language model servers on this machine; uses none"))

const voices = Command.make(
  "voices",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const reply = yield* query(providerHandlers, ListVoices, {})
    if (json) return yield* printJson(reply)
    for (const { engine, id, name } of reply.voices) yield* printLine(`${engine.padEnd(14)} ${id.padEnd(24)} ${name}`)
    for (const problem of reply.problems) yield* note(problem)
  }, Effect.scoped)
).pipe(Command.withDescription("The voices to choose from"))

export const providers = Command.make("providers").pipe(
  Command.withDescription("Language models and voices of other machines and programs"),
  Command.withSubcommands([check, discover, voices])
)
