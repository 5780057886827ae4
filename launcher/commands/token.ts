/** `voxbus token [create | list | revoke | renew]`: who may use the gateway. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { type Scope, SCOPES } from "../../contract/Command.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { homeToken, issuedTokens, issueToken, renewHomeToken, revokeToken } from "../../kernel/Tokens.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"

const home = Effect.map(Settings, (settings) => settings.home)
const nameArgument = Argument.String("name").pipe(Argument.withDescription("Name of the program that uses it"))

const isScope = (text: string): text is Scope => SCOPES.some((known) => known === text)

const create = Command.make(
  "create",
  {
    name: nameArgument,
    scope: Flag.String("scope").pipe(Flag.withDescription("Rights, with commas between: read, write, admin"), Flag.withDefault("read")),
    json: jsonFlag
  },
  Effect.fn(function* ({ name, scope, json }) {
    const scopes = scope.split(",").map((each) => each.trim())
    const unknown = scopes.find((each) => !isScope(each))
    if (unknown !== undefined)
      return yield* new Terminal({ code: "command.usage", message: `There is no scope "${unknown}"; there are ${SCOPES.join(", ")}.` })
    const token = yield* issueToken(yield* home, name, scopes.filter(isScope))
    yield* json ? printJson({ name, scopes, token }) : printLine(token)
    if (!json) yield* note("This is shown once: only its hash is kept.")
  })
).pipe(Command.withDescription("Make a token for a program, with the rights it needs"))

const list = Command.make(
  "list",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    for (const { name, scopes, created } of yield* issuedTokens(yield* home)) {
      const made = new Date(created).toISOString()
      yield* json ? printJson({ name, scopes, created: made }) : printLine(`${name.padEnd(24)} ${scopes.join(",").padEnd(18)} ${made}`)
    }
  })
).pipe(Command.withDescription("List the tokens that programs have"))

const revoke = Command.make(
  "revoke",
  { name: nameArgument, json: jsonFlag },
  Effect.fn(function* ({ name, json }) {
    if (!(yield* revokeToken(yield* home, name)))
      return yield* new Terminal({ code: "input.missing", message: `There is no token called ${name}.` })
    yield* json ? printJson({ name, revoked: true }) : printLine(`${name} revoked`)
  })
).pipe(Command.withDescription("End a token"))

const renew = Command.make(
  "renew",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const token = yield* renewHomeToken(yield* home)
    yield* json ? printJson({ token }) : printLine(token)
  })
).pipe(Command.withDescription("Replace the token of this home: the old one, all links and all open pages end"))

export const token = Command.make(
  "token",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const token = yield* homeToken(yield* home)
    yield* json ? printJson({ token }) : printLine(token)
  })
).pipe(
  Command.withDescription("Print the token that programs send as `Authorization: Bearer TOKEN`"),
  Command.withExamples([
    {
      command: 'curl -H "Authorization: Bearer $(npx voxbus token)" http://127.0.0.1:8765/api/instance/status',
      description: "Ask something"
    },
    { command: "voxbus token create dashboard --scope read", description: "A token that may only read" }
  ]),
  Command.withSubcommands([create, list, revoke, renew])
)
