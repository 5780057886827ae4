/** `creds.issue`, `creds.list`, `creds.revoke`: users of the bus for programs and for actors on other hosts. */
import * as Effect from "effect/Effect"
import { IssueCredentials, ListCredentials, RevokeCredentials, type Rights } from "../../contract/CredsCommands.ts"
import { Bus } from "../../kernel/Bus.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { inboxPrefix } from "../../kernel/nats/Connection.ts"
import { OPERATOR } from "../../kernel/nats/Credentials.ts"
import { issuedUsers, makeUser, ownActor, saveUsers } from "../../kernel/nats/IssuedUsers.ts"
import { CANARY } from "../../kernel/nats/Reload.ts"
import { consumersOf } from "../../kernel/Runtime.ts"
import { Settings } from "../../kernel/Settings.ts"
import { BusUsers } from "../BusUsers.ts"
import { NAMES } from "../Registry.ts"

const check = (name: string, rights: Rights): Effect.Effect<void, Terminal> => {
  if ([OPERATOR, CANARY, ...NAMES].includes(name))
    return Effect.fail(new Terminal({ code: "input.invalid", message: `${name} is a user of Voxbus itself; choose another name.` }))
  if (rights.kind === "actor" && !NAMES.includes(rights.actor))
    return Effect.fail(
      new Terminal({ code: "input.invalid", message: `There is no actor called ${rights.actor}; there are ${NAMES.join(", ")}.` })
    )
  return Effect.void
}

/** Writes the file and tells the server; a server that does not take it leaves the file as it was. */
const replace = Effect.fnUntraced(function* (change: (users: ReadonlyArray<Issued>) => ReadonlyArray<Issued>) {
  const { home } = yield* Settings
  const { apply } = yield* BusUsers
  const before = yield* issuedUsers(home)
  yield* saveUsers(home, change(before))
  yield* apply.pipe(Effect.tapError(() => saveUsers(home, before)))
})

type Issued = Effect.Success<ReturnType<typeof issuedUsers>>[number]

const issue = handler(IssueCredentials, ({ name, rights }) =>
  Effect.gen(function* () {
    yield* check(name, rights)
    const settings = yield* Settings
    const { url } = yield* BusUsers
    const { user, password } = yield* makeUser(name, rights)
    if (rights.kind === "own-actor") {
      const bus = yield* Bus
      yield* bus.provision({
        keepConversations: settings.privacy.keepConversations,
        consumers: consumersOf(ownActor(name, rights.actor), settings.bus.ackWaitMs)
      })
    }
    yield* replace((users) => [...users.filter((each) => each.name !== name), user])
    const { created } = user
    return { name, rights, created, password, url: url.replace("//", `//${name}:${password}@`), inboxPrefix: inboxPrefix(name) }
  })
)

const list = handler(ListCredentials, () =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    return { credentials: (yield* issuedUsers(home)).map(({ name, rights, created }) => ({ name, rights, created })) }
  })
)

const revoke = handler(RevokeCredentials, ({ name }) =>
  Effect.gen(function* () {
    const settings = yield* Settings
    const bus = yield* Bus
    const found = (yield* issuedUsers(settings.home)).find((each) => each.name === name)
    if (found === undefined)
      return yield* new Terminal({ code: "input.missing", message: `There are no credentials called ${name}; see voxbus creds list.` })
    yield* replace((users) => users.filter((each) => each.name !== name))
    const consumers = found.rights.kind === "own-actor" ? consumersOf(ownActor(name, found.rights.actor), settings.bus.ackWaitMs) : []
    yield* Effect.forEach(consumers, (spec) => bus.forget(spec), { discard: true })
    return { name }
  })
)

export const credsHandlers = [issue, list, revoke]
