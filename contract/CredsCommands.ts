/** Credentials of the bus, for programs and for actors on other hosts. A password is in the answer once and kept nowhere. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { EVENT_TAGS, type EventTag } from "./Events.ts"
import { Mode } from "./Session.ts"

export const UserName = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,40}$/))

const Tags = Schema.NonEmptyArray(Schema.Literals(EVENT_TAGS as [EventTag, ...Array<EventTag>]))

/** An actor that is not one of ours: its name is that of the user. */
export const OwnActor = Schema.Struct({ mode: Mode, consumes: Tags, publishes: Tags })
export type OwnActor = typeof OwnActor.Type

export const Rights = Schema.Union([
  /**
   * `read`: subscribe to events, read and consume the log, ask what changes nothing. `write`: also the commands that change
   * something and are not for administrators.
   */
  Schema.Struct({
    kind: Schema.Literals(["read", "write"]),
    /** Also raw audio and stored blobs. */
    audio: Schema.Boolean
  }),
  /** What one of our actors may do: a further worker, here or elsewhere. */
  Schema.Struct({ kind: Schema.Literal("actor"), actor: Schema.String }),
  Schema.Struct({ kind: Schema.Literal("own-actor"), actor: OwnActor })
])
export type Rights = typeof Rights.Type

export const IssuedCredentials = Schema.Struct({
  name: UserName,
  rights: Rights,
  /** ISO 8601. */
  created: Schema.String
})

export const IssueCredentials = command("creds.issue", {
  request: Schema.Struct({ name: UserName, rights: Rights }),
  reply: Schema.Struct({
    ...IssuedCredentials.fields,
    password: Schema.String,
    /** `nats://name:password@host:port`. */
    url: Schema.String,
    /** Replies must come below this prefix: an option of every NATS client. */
    inboxPrefix: Schema.String
  }),
  changes: true,
  admin: true,
  means: "Makes a user of the bus; of one with that name the password and the rights are replaced."
})

export const ListCredentials = command("creds.list", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ credentials: Schema.Array(IssuedCredentials) }),
  changes: false,
  admin: true,
  means: "Users of the bus that were issued; never their passwords."
})

export const RevokeCredentials = command("creds.revoke", {
  request: Schema.Struct({ name: UserName }),
  reply: Schema.Struct({ name: UserName }),
  changes: true,
  admin: true,
  means: "Ends a user of the bus; its connections are closed."
})
