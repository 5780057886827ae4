/**
 * Language model servers on this machine: Ollama, llama-server, vLLM, LM Studio and OpenWebUI on their usual ports. Only
 * loopback is asked, without a key; what is found is offered and nothing more.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DiscoverProviders } from "../../contract/ProviderCommands.ts"
import { json } from "../../kernel/ProviderHttp.ts"

type Found = (typeof DiscoverProviders.reply.Type)["found"][number]

/** Ollama, llama-server and OpenWebUI, vLLM, LM Studio, OpenWebUI in its container. */
const PORTS = [11434, 8080, 8000, 1234, 3000]
const LOOK_MS = 800

const Models = Schema.Struct({
  object: Schema.optionalKey(Schema.String),
  data: Schema.Array(Schema.Struct({ id: Schema.String, owned_by: Schema.optionalKey(Schema.String) }))
})
const WebUi = Schema.Struct({ name: Schema.String, version: Schema.String, features: Schema.Unknown })

/** What a server calls the owner of its models gives it away; the port does where it does not. */
const kindOf = (owner: string, port: number): Found["kind"] => {
  if (owner === "llamacpp") return "llama-server"
  if (owner === "vllm") return "vllm"
  if (owner === "organization_owner" || port === 1234) return "lm-studio"
  return owner === "library" || port === 11434 ? "ollama" : "openai-compatible"
}

const get = <S extends Schema.Top & { readonly DecodingServices: never }>(url: string, path: string, schema: S) =>
  json({ label: "A local server", url, keyName: "chat" }, { method: "GET", path, firstByteMs: LOOK_MS, totalMs: LOOK_MS }, schema)

const chatServer = (port: number) =>
  Effect.map(get(`http://127.0.0.1:${port}/v1`, "/models", Models), ({ data }): Found => {
    const url = `http://127.0.0.1:${port}/v1`
    const models = data.map(({ id }) => id)
    const [first] = models
    return {
      kind: kindOf(data[0]?.owned_by ?? "", port),
      url,
      models,
      use: [{ path: "provider.chat.url", value: url }, ...(first === undefined ? [] : [{ path: "provider.chat.model", value: first }])]
    }
  })

const webUi = (port: number) =>
  Effect.map(get(`http://127.0.0.1:${port}`, "/api/config", WebUi), (): Found => {
    const url = `http://127.0.0.1:${port}`
    return { kind: "openwebui", url, models: [], use: [{ path: "provider.openwebui.url", value: url }] }
  })

/** @param ports besides the usual ones */
export const discover = (ports: ReadonlyArray<number>): Effect.Effect<ReadonlyArray<Found>> =>
  Effect.forEach(
    [...new Set([...PORTS, ...ports])],
    (port) =>
      webUi(port).pipe(
        Effect.catch(() => chatServer(port)),
        Effect.map((found) => [found]),
        Effect.catch(() => Effect.succeed<ReadonlyArray<Found>>([]))
      ),
    { concurrency: "unbounded" }
  ).pipe(Effect.map((found) => found.flat()))
