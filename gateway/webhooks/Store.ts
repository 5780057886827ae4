/** The webhooks of a home: `$VOXBUS_HOME/webhooks.json`, 0600, because it holds what they are signed with. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Webhook } from "../../contract/WebhookCommands.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"

const Stored = Schema.Struct({ ...Webhook.fields, secret: Schema.String })
export type Stored = typeof Stored.Type
const File = Schema.fromJsonString(Schema.Array(Stored))

const usable = <A>(home: string, run: (path: string) => A) => {
  const path = join(home, "webhooks.json")
  return Effect.try({
    try: () => run(path),
    catch: (cause) => new Terminal({ code: "config.invalid", message: `${path} cannot be used: ${describe(cause)}`, cause })
  })
}

export const readWebhooks = (home: string): Effect.Effect<ReadonlyArray<Stored>, Terminal> =>
  usable(home, (path) => (existsSync(path) ? Schema.decodeUnknownSync(File)(readFileSync(path, "utf8")) : []))

export const writeWebhooks = (home: string, webhooks: ReadonlyArray<Stored>): Effect.Effect<void, Terminal> =>
  usable(home, (path) => {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, Schema.encodeSync(File)(webhooks), { mode: 0o600 })
    renameSync(draft, path)
  })
