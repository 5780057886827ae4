/** Keys of providers. A key goes in with `keys.set` and never comes out: answers say where it is and how it ends. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"

export const KeyName = Schema.Literals(["openai", "openwebui", "elevenlabs", "chat"])
export type KeyName = typeof KeyName.Type

/** Environment variables that win over a stored key, in this order. */
export const KEY_VARIABLES: Readonly<Record<KeyName, ReadonlyArray<string>>> = {
  openai: ["OPENAI_API_KEY"],
  openwebui: ["OPENWEBUI_API_KEY"],
  elevenlabs: ["ELEVENLABS_API_KEY"],
  chat: ["VOXBUS_CHAT_API_KEY"]
}

const Place = Schema.Literals(["environment", "keyring", "file"])

export const SetKey = command("keys.set", {
  request: Schema.Struct({
    name: KeyName,
    key: Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,4096}$/)),
    /** Ask the provider first (the default); a key it refuses is not kept. */
    check: Schema.optionalKey(Schema.Boolean)
  }),
  reply: Schema.Struct({ name: KeyName, place: Place, checked: Schema.Boolean }),
  changes: true,
  admin: true,
  secret: true,
  means: "Keeps a provider's key after the provider has accepted it; the old one stays until then."
})

export const TestKey = command("keys.test", {
  request: Schema.Struct({ name: KeyName }),
  reply: Schema.Struct({ name: KeyName, place: Place, detail: Schema.String }),
  changes: false,
  admin: true,
  means: "Asks the provider whether it accepts the key that is set; fails with why not."
})

export const RemoveKey = command("keys.remove", {
  request: Schema.Struct({ name: KeyName }),
  reply: Schema.Struct({ name: KeyName, removed: Schema.Boolean }),
  changes: true,
  admin: true,
  means: "Forgets a stored key; a variable of the environment stays."
})

export const ListKeys = command("keys.list", {
  request: Schema.Struct({}),
  reply: Schema.Struct({
    keys: Schema.Array(
      Schema.Struct({
        name: KeyName,
        set: Schema.Boolean,
        place: Schema.optionalKey(Place),
        /** The last four characters, of long keys only. */
        masked: Schema.optionalKey(Schema.String)
      })
    )
  }),
  changes: false,
  admin: true,
  means: "Which keys are set and where they are kept; never the keys."
})
