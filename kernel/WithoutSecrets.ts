/**
 * Settings as they may be shown. Keys of providers are not among them; what can still carry a secret is an address (user
 * and password, parameters) and the arguments of a command.
 *
 * @example
 * withoutSecrets({ bus: { url: "nats://me:word@host:4222" } }) // { bus: { url: "nats://***@host:4222" } }
 */
import * as Schema from "effect/Schema"

const HIDDEN = "***"
/** Fields whose every word may be a secret: the arguments of a server of tools. */
const HIDDEN_FIELDS = ["args"]

const address = (text: string): string =>
  text.replaceAll(/:\/\/[^/\s]*@/g, `://${HIDDEN}@`).replaceAll(/(:\/\/[^?#,\s]*[?#])[^,\s]+/g, `$1${HIDDEN}`)

const isList = (value: Schema.Json): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

export const withoutSecrets = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return address(value)
  if (typeof value !== "object" || value === null) return value
  if (isList(value)) return value.map(withoutSecrets)
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      HIDDEN_FIELDS.includes(name) && isList(each) ? each.map(() => HIDDEN) : withoutSecrets(each)
    ])
  )
}
