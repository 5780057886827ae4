/** `voxbus creds issue | list | revoke`: users of the bus, for programs and for actors on other hosts. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { IssueCredentials, ListCredentials, OwnActor, RevokeCredentials, type Rights } from "../../contract/CredsCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"
import { NAMES } from "../Registry.ts"

const nameArgument = Argument.String("name").pipe(Argument.withDescription("Of the user: letters, digits, - and _"))

const usage = (message: string) => new Terminal({ code: "command.usage", message })

const items = (text: string) =>
  text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "")

interface Flags {
  readonly read: boolean
  readonly write: boolean
  readonly actor: Option.Option<string>
  readonly consumes: Option.Option<string>
  readonly publishes: Option.Option<string>
  readonly mode: "call" | "assistant"
  readonly audio: boolean
}

const ownOf = ({ mode, consumes, publishes }: Flags): Effect.Effect<Rights, Terminal> =>
  Schema.decodeUnknownEffect(OwnActor)({
    mode,
    consumes: items(Option.getOrElse(consumes, () => "")),
    publishes: items(Option.getOrElse(publishes, () => ""))
  }).pipe(
    Effect.map((actor): Rights => ({ kind: "own-actor", actor })),
    Effect.mapError(() => usage("An actor of your own needs --consumes and --publishes with events such as text.transcribed."))
  )

/** `read` where nothing is said. */
const rightsOf = (flags: Flags): Effect.Effect<Rights, Terminal> => {
  const own = Option.isSome(flags.consumes) || Option.isSome(flags.publishes)
  if ([flags.read, flags.write, Option.isSome(flags.actor), own].filter(Boolean).length > 1)
    return Effect.fail(usage("Choose one of --read, --write, --actor, and --consumes with --publishes."))
  if (own) return ownOf(flags)
  return Effect.succeed(
    Option.match(flags.actor, {
      onSome: (actor): Rights => ({ kind: "actor", actor }),
      onNone: (): Rights => ({ kind: flags.write ? "write" : "read", audio: flags.audio })
    })
  )
}

const flag = (name: string, means: string) => Flag.Boolean(name).pipe(Flag.withDescription(means), Flag.withDefault(false))

const issue = Command.make(
  "issue",
  {
    name: nameArgument,
    read: flag("read", "Events, the log, and commands that change nothing (the default)"),
    write: flag("write", "Also commands that change something, but settings, keys and credentials"),
    audio: flag("audio", "With --read or --write: also raw audio and stored files"),
    actor: Flag.Literals("actor", NAMES).pipe(Flag.withDescription("A further worker of one of our actors"), Flag.optional),
    consumes: Flag.String("consumes").pipe(
      Flag.withDescription("For an actor of your own: events it takes, with commas between"),
      Flag.optional
    ),
    publishes: Flag.String("publishes").pipe(Flag.withDescription("... and events it may publish"), Flag.optional),
    mode: Flag.Literals("mode", ["call", "assistant"]).pipe(
      Flag.withDescription("... of calls or of conversations"),
      Flag.withDefault("call")
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ name, json, ...flags }) {
    const reply = yield* invoke(IssueCredentials, { name, rights: yield* rightsOf(flags) })
    if (json) return yield* printJson(reply)
    yield* printLine(reply.url)
    yield* note(`This is shown once: only its hash is kept. NATS clients need the inbox prefix ${reply.inboxPrefix}.`)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Make a user of the bus, with the rights it needs; it counts at once"),
  Command.withExamples([
    { command: "voxbus creds issue dashboard --read", description: "For a program that reads" },
    { command: "voxbus creds issue worker-2 --actor transcriber", description: "For `voxbus run transcriber --bus URL` elsewhere" },
    {
      command: "voxbus creds issue phones --consumes text.transcribed --publishes keyword.spotted",
      description: "For an actor of your own"
    }
  ])
)

const described = (rights: Rights): string => {
  if (rights.kind === "actor") return `actor ${rights.actor}`
  if (rights.kind === "own-actor") return `${rights.actor.mode}: ${rights.actor.consumes.join(",")} -> ${rights.actor.publishes.join(",")}`
  return rights.audio ? `${rights.kind}, audio` : rights.kind
}

const list = Command.make(
  "list",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const { credentials } = yield* invoke(ListCredentials, {})
    for (const each of credentials)
      yield* json ? printJson(each) : printLine(`${each.name.padEnd(24)} ${described(each.rights).padEnd(40)} ${each.created}`)
  }, Effect.scoped)
).pipe(Command.withDescription("Users that were issued; never their passwords"))

const revoke = Command.make(
  "revoke",
  { name: nameArgument, json: jsonFlag },
  Effect.fn(function* ({ name, json }) {
    const reply = yield* invoke(RevokeCredentials, { name })
    yield* json ? printJson({ ...reply, revoked: true }) : printLine(`${name} revoked; its connections are closed`)
  }, Effect.scoped)
).pipe(Command.withDescription("End a user of the bus"))

export const creds = Command.make("creds").pipe(
  Command.withDescription("Users of the bus for programs and for actors on other hosts"),
  Command.withSubcommands([issue, list, revoke])
)
