/**
 * Bus users that were issued to programs and to actors on other hosts. `$VOXBUS_HOME/bus-users.json` (0600) has their
 * names, what they may do, and the bcrypt hash of their passwords: nats-server compares with that. A password is 192
 * random bits, so the cheapest cost is enough, and a connection stays quick.
 */
import { hash } from "bcryptjs"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { scopeOf } from "../../contract/Command.ts"
import { COMMANDS } from "../../contract/Commands.ts"
import type { Rights } from "../../contract/CredsCommands.ts"
import { IssuedCredentials, OwnActor } from "../../contract/CredsCommands.ts"
import { eventStream, NOUNS, type StreamName, STREAMS } from "../../contract/Subjects.ts"
import type { Actor } from "../Actor.ts"
import { describe, Terminal } from "../Failure.ts"
import { inboxPrefix } from "./Connection.ts"
import { type Permissions, permissionsOf } from "./Credentials.ts"
import type { User } from "./Server.ts"

const IssuedUser = Schema.Struct({ ...IssuedCredentials.fields, bcrypt: Schema.String })
export type IssuedUser = typeof IssuedUser.Type
const File = Schema.fromJsonString(Schema.Array(IssuedUser))

export type Declaration = Pick<Actor, "name" | "consumes" | "publishes">

/** The least that bcrypt allows. */
const COST = 4

const pathOf = (home: string) => join(home, "bus-users.json")

const usable = <A>(home: string, run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause) => new Terminal({ code: "config.invalid", message: `${pathOf(home)} cannot be used: ${describe(cause)}`, cause })
  })

/** Those of a home, without their passwords. */
export const issuedUsers = (home: string): Effect.Effect<ReadonlyArray<IssuedUser>, Terminal> =>
  usable(home, () => (existsSync(pathOf(home)) ? Schema.decodeUnknownSync(File)(readFileSync(pathOf(home), "utf8")) : []))

/** Replaces them all. */
export const saveUsers = (home: string, users: ReadonlyArray<IssuedUser>): Effect.Effect<void, Terminal> =>
  usable(home, () => {
    mkdirSync(dirname(pathOf(home)), { recursive: true, mode: 0o700 })
    const draft = `${pathOf(home)}.${process.pid}`
    writeFileSync(draft, Schema.encodeSync(File)(users), { mode: 0o600 })
    renameSync(draft, pathOf(home))
  })

/** A user with a password that is returned once and not kept. */
export const makeUser = Effect.fnUntraced(function* (name: string, rights: Rights) {
  const password = randomBytes(24).toString("base64url")
  const bcrypt = yield* Effect.promise(() => hash(password, COST))
  const user: IssuedUser = { name, rights, created: new Date(yield* Clock.currentTimeMillis).toISOString(), bcrypt }
  return { user, password }
})

/** An actor of a program's own as it is declared to the runtime. */
export const ownActor = (name: string, { mode, consumes, publishes }: OwnActor): Declaration => ({
  name,
  consumes: [{ mode, tags: consumes, concurrency: 1 }],
  publishes
})

/** What an issued user takes work for, if it is an actor of its own. */
export const ownActors = (users: ReadonlyArray<IssuedUser>): ReadonlyArray<Declaration> =>
  users.flatMap(({ name, rights }) => (rights.kind === "own-actor" ? [ownActor(name, rights.actor)] : []))

const EVENTS: ReadonlyArray<StreamName> = [eventStream("call"), eventStream("assistant"), "HOST"]
const AUDIO: ReadonlyArray<StreamName> = ["FRAMES_CALLS", "FRAMES_ASSISTANT", "BLOBS_CALLS", "BLOBS_ASSISTANT"]

/** Reads streams through consumers of its own and by look-up; the consumers of actors are not to be touched. */
const readerOf = (streams: ReadonlyArray<StreamName>, reserved: ReadonlyArray<string>) => ({
  publish: streams.flatMap((stream) => [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.>`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.*`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.ACK.${stream}.>`,
    // Flow control of push consumers, which some clients use.
    `$JS.FC.${stream}.>`
  ]),
  denied: streams.flatMap((stream) =>
    reserved.flatMap((name) => [
      `$JS.API.CONSUMER.CREATE.${stream}.${name}`,
      `$JS.API.CONSUMER.CREATE.${stream}.${name}.>`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${name}`,
      `$JS.API.CONSUMER.DELETE.${stream}.${name}`,
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`,
      `$JS.ACK.${stream}.${name}.>`
    ])
  )
})

/** Commands that need no more than these rights. */
const commandsFor = (kind: "read" | "write"): ReadonlyArray<string> =>
  COMMANDS.filter((spec) => scopeOf(spec) === "read" || (kind === "write" && scopeOf(spec) === "write")).map(({ name }) => `cmd.${name}`)

/** @param reserved names of all actors */
const permissionsOfProgram = (
  name: string,
  { kind, audio }: Extract<Rights, { readonly kind: "read" | "write" }>,
  reserved: ReadonlyArray<string>
): Permissions => {
  const streams = audio ? [...EVENTS, ...AUDIO] : EVENTS
  const { publish, denied } = readerOf(streams, reserved)
  const host = STREAMS.find((stream) => stream.name === "HOST")?.subjects ?? []
  return {
    publish: ["$JS.API.INFO", "$JS.API.STREAM.NAMES", ...publish, ...commandsFor(kind)],
    denied,
    subscribe: [
      `${inboxPrefix(name)}.>`,
      ...NOUNS.map((noun) => `${noun}.>`),
      ...host,
      "level.>",
      "state.>",
      ...(audio ? ["frames.>", "blobs.>"] : [])
    ]
  }
}

/** Issued users as the server wants them. A user for an actor that there is no more may do nothing, and is left out. */
export const serverUsers = (users: ReadonlyArray<IssuedUser>, actors: ReadonlyArray<Declaration>): ReadonlyArray<User> => {
  const reserved = [...actors, ...ownActors(users)].map(({ name }) => name)
  return users.flatMap(({ name, rights, bcrypt: password }): ReadonlyArray<User> => {
    if (rights.kind === "own-actor") return [{ name, password, permissions: permissionsOf(ownActor(name, rights.actor)) }]
    if (rights.kind !== "actor") return [{ name, password, permissions: permissionsOfProgram(name, rights, reserved) }]
    const actor = actors.find((each) => each.name === rights.actor)
    return actor === undefined ? [] : [{ name, password, permissions: permissionsOf(actor, name) }]
  })
}
