/**
 * Who may do what on the bus. The launcher makes one user per actor with a random password; an actor may publish only
 * the events it declares, take from its own consumers, and read what it needs of a session. Replies go to a private
 * inbox. The file is 0600 and is made once per home.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import type { Actor } from "../Actor.ts"
import { describe, Terminal } from "../Failure.ts"
import { commandSubject } from "../../contract/Command.ts"
import { eventStream, metricsSubject, type StreamName } from "../../contract/Subjects.ts"
import { inboxPrefix } from "./Connection.ts"

const File = Schema.Struct({ users: Schema.Record(Schema.String, Schema.String) })

/** The user of the launcher and the gateway: may do everything in the account. */
export const OPERATOR = "operator"

export interface Permissions {
  readonly publish: ReadonlyArray<string>
  readonly subscribe: ReadonlyArray<string>
  /** Exceptions from `publish`. */
  readonly denied?: ReadonlyArray<string>
}

/**
 * What an actor's user may do.
 *
 * @param user its name on the bus, where that is not the actor's: credentials issued for another host
 */
export const permissionsOf = (actor: Pick<Actor, "name" | "consumes" | "publishes" | "asks">, user: string = actor.name): Permissions => {
  const modes = [...new Set(actor.consumes.map((each) => each.mode))]
  const streams = modes.map(eventStream)
  const readable: ReadonlyArray<StreamName> = [
    ...streams,
    ...modes.flatMap((mode): ReadonlyArray<StreamName> =>
      mode === "call" ? ["BLOBS_CALLS", "FRAMES_CALLS"] : ["BLOBS_ASSISTANT", "FRAMES_ASSISTANT"]
    )
  ]
  return {
    publish: [
      ...modes.flatMap((mode) => [...[...actor.publishes, "error.raised"].flatMap((tag) => [`${tag}.${mode}.>`]), `blobs.${mode}.>`]),
      ...(actor.asks ?? []).map((name) => commandSubject({ name })),
      `dlq.${actor.name}.>`,
      `health.changed.host.${actor.name}`,
      metricsSubject(actor.name),
      ...streams.flatMap((stream) => [
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.${actor.name}`,
        `$JS.API.CONSUMER.INFO.${stream}.${actor.name}`,
        `$JS.ACK.${stream}.${actor.name}.>`,
        // Histories too long for one look-up are read through an ordered consumer: of several filters without a tail.
        `$JS.API.CONSUMER.CREATE.${stream}`,
        `$JS.API.CONSUMER.CREATE.${stream}.*`,
        `$JS.API.CONSUMER.CREATE.${stream}.*.>`,
        `$JS.API.CONSUMER.DELETE.${stream}.*`,
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
        `$JS.API.CONSUMER.INFO.${stream}.*`
      ]),
      `$JS.API.CONSUMER.MSG.NEXT.RETRY.${actor.name}`,
      `$JS.API.CONSUMER.INFO.RETRY.${actor.name}`,
      `$JS.ACK.RETRY.${actor.name}.>`,
      ...readable.flatMap((stream) => [
        `$JS.API.DIRECT.GET.${stream}`,
        `$JS.API.DIRECT.GET.${stream}.>`,
        // The leader's word, where a replica of a cluster may be behind.
        `$JS.API.STREAM.MSG.GET.${stream}`,
        `$JS.API.STREAM.INFO.${stream}`
      ])
    ],
    subscribe: [`${inboxPrefix(user)}.>`]
  }
}

/** Reads the users of a home, making those that are missing. */
export const credentials = Effect.fnUntraced(function* (path: string, names: ReadonlyArray<string>) {
  return yield* Effect.try({
    try: () => {
      const known = existsSync(path) ? Schema.decodeUnknownSync(Schema.fromJsonString(File))(readFileSync(path, "utf8")).users : {}
      const missing = names.filter((name) => known[name] === undefined)
      const users: Record<string, string> = {
        ...known,
        ...Object.fromEntries(missing.map((name) => [name, randomBytes(24).toString("base64url")]))
      }
      if (missing.length > 0) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        const draft = `${path}.${process.pid}`
        writeFileSync(draft, JSON.stringify({ users }, null, 2), { mode: 0o600 })
        renameSync(draft, path)
      }
      chmodSync(path, 0o600)
      return users
    },
    catch: (cause) =>
      new Terminal({
        code: "config.invalid",
        message: `The bus credentials in ${path} cannot be used: ${describe(cause)}. Delete the file to make new ones.`,
        cause
      })
  })
})
