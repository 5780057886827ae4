/**
 * The providers that are configured, and one cheap question to each: does it answer, does it accept the key?
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { KeyName } from "../../contract/KeyCommands.ts"
import type { ProviderState } from "../../contract/ProviderCommands.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { findKey } from "../../kernel/Keys.ts"
import { isLoopback } from "../../kernel/Network.ts"
import { type Endpoint, json } from "../../kernel/ProviderHttp.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Providers } from "../../kernel/SettingsFile.ts"

export type State = typeof ProviderState.Type

const LOOK_MS = 10_000
/** What each is asked: a list that costs nothing. */
const QUESTION: Readonly<
  Record<KeyName, { readonly label: string; readonly path: string; readonly url: (providers: Providers) => string }>
> = {
  chat: { label: "The chat endpoint", path: "/models", url: ({ chat }) => chat.url },
  openwebui: { label: "OpenWebUI", path: "/api/models", url: ({ openwebui }) => openwebui.url },
  openai: { label: "OpenAI", path: "/models", url: ({ openai }) => openai.url },
  elevenlabs: { label: "ElevenLabs", path: "/v1/voices", url: ({ elevenlabs }) => elevenlabs.url }
}
export const NAMES = ["chat", "openwebui", "openai", "elevenlabs"] as const satisfies ReadonlyArray<KeyName>

const Listed = Schema.Struct({
  data: Schema.optionalKey(Schema.Array(Schema.Unknown)),
  voices: Schema.optionalKey(Schema.Array(Schema.Unknown))
})

/** The endpoint of a provider with the key that is set, or with another one that is to be tried. */
export const endpointOf = Effect.fnUntraced(function* (name: KeyName, candidate?: Redacted.Redacted<string>) {
  const { label, url } = QUESTION[name]
  const key = candidate ?? (yield* findKey(name))?.key
  const endpoint: Endpoint = {
    label,
    url: url((yield* Settings.current).provider),
    key,
    keyName: name,
    ...(name === "elevenlabs" ? { keyHeader: "xi-api-key" } : {})
  }
  return endpoint
})

/** Asks the provider. Returns what there is, such as `12 models`. */
export const ask = Effect.fnUntraced(function* (name: KeyName, endpoint: Endpoint) {
  const { label, path } = QUESTION[name]
  if (endpoint.url === "")
    return yield* new Terminal({
      code: "config.invalid",
      message: `${label} has no address. Set it with: npx voxbus config set provider.${name}.url URL`
    })
  const { data, voices } = yield* json(endpoint, { method: "GET", path, firstByteMs: LOOK_MS, totalMs: LOOK_MS }, Listed)
  return voices === undefined ? `${data?.length ?? 0} models` : `${voices.length} voices`
})

/** A service that everybody has in their settings counts as configured once its key is set. */
const isConfigured = (name: KeyName, endpoint: Endpoint): boolean =>
  endpoint.url !== "" &&
  (endpoint.key !== undefined ||
    !/\.(openai\.com|elevenlabs\.io)$/.test(new URL(endpoint.url).hostname) ||
    name === "chat" ||
    name === "openwebui")

const stateOf = (name: KeyName, endpoint: Endpoint, failure: Failure): State => ({
  name,
  url: endpoint.url,
  status: failure.code === "network.offline" ? "off" : /unreachable|unavailable|timeout/.test(failure.code) ? "down" : "degraded",
  detail: failure.message
})

const check = Effect.fnUntraced(function* (name: KeyName) {
  const endpoint = yield* endpointOf(name)
  if (!isConfigured(name, endpoint)) return []
  const { host } = yield* Settings
  if (host.offline && !isLoopback(new URL(endpoint.url).hostname))
    return [{ name, url: endpoint.url, status: "off", detail: "Not asked: offline mode." } satisfies State]
  const state = yield* ask(name, endpoint).pipe(
    Effect.map((detail): State => ({ name, url: endpoint.url, status: "ready", detail })),
    Effect.catch((failure) => Effect.succeed(stateOf(name, endpoint, failure)))
  )
  return [state]
})

/** Every configured provider, asked side by side. */
export const checkAll: Effect.Effect<ReadonlyArray<State>, Failure, Settings> = Effect.map(
  Effect.forEach(NAMES, check, { concurrency: "unbounded" }),
  (states) => states.flat()
)
