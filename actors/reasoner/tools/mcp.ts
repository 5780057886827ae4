/**
 * Tools of other programs, over the Model Context Protocol: a command that this process starts, or an address. A server
 * is connected when it is first needed and again after it went away; one that does not answer costs a turn three
 * seconds, once in half a minute.
 *
 * Gotcha: what such a tool changes is outside the bus, so a call that a crash cut off is made again only where the
 * server says that this does no harm.
 */
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { describe, type Failure, Terminal } from "../../../kernel/Failure.ts"
import { refuseFar } from "../../../kernel/Network.ts"
import { Settings } from "../../../kernel/Settings.ts"
import type { McpServer } from "../../../kernel/SettingsFile.ts"
import type { Tool } from "./Tool.ts"

const CONNECT_MS = 10_000
/** How long a turn waits for a server that is being connected. */
const PATIENCE_MS = 3_000
const CALL_MS = 30_000
const AGAIN_AFTER_MS = 30_000
/** What providers take as the name of a function. */
const NAME_LENGTH = 64

interface Connection {
  readonly fiber: Fiber.Fiber<ReadonlyArray<Tool>, Failure>
  readonly at: number
}

const failed = (server: string, what: string) => (cause: unknown) =>
  new Terminal({ code: "engine.unavailable", message: `The MCP server ${server} ${what}: ${describe(cause)}`, cause })

/** Nothing of our environment but what the settings name: keys stay here. */
const environmentOf = (server: McpServer, inherited: Record<string, string>): Record<string, string> => ({
  ...inherited,
  ...Object.fromEntries(server.environment.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
})

const transportOf = async (server: McpServer) => {
  if (server.command !== "") {
    const { getDefaultEnvironment, StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js")
    const env = environmentOf(server, getDefaultEnvironment())
    return new StdioClientTransport({ command: server.command, args: [...server.args], env, stderr: "ignore" })
  }
  const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js")
  const token = server.tokenVariable === "" ? undefined : process.env[server.tokenVariable]
  return new StreamableHTTPClientTransport(new URL(server.url), {
    ...(token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } })
  })
}

/** Text of a result; what is no text is named. */
const textOf = (content: unknown, structured: unknown): string => {
  const parts = (Array.isArray(content) ? content : []).map((part: unknown) => {
    if (typeof part !== "object" || part === null) return ""
    if ("text" in part && typeof part.text === "string") return part.text
    return "type" in part ? `(${String(part.type)})` : ""
  })
  return parts.length === 0 && structured !== undefined ? JSON.stringify(structured) : parts.join("\n")
}

const nameOf = (server: string, tool: string) => `${server}_${tool}`.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, NAME_LENGTH)

const toolsOf = async (server: McpServer, client: Client): Promise<ReadonlyArray<Tool>> => {
  const { tools } = await client.listTools(undefined, { timeout: CONNECT_MS })
  return tools.map((tool): Tool => ({
    name: nameOf(server.name, tool.name),
    description: tool.description ?? tool.title ?? tool.name,
    parameters: tool.inputSchema,
    repeatable: tool.annotations?.readOnlyHint === true || tool.annotations?.idempotentHint === true,
    run: (input) =>
      Effect.tryPromise({
        try: (signal) =>
          client.callTool({ name: tool.name, arguments: Object.fromEntries(Object.entries(input ?? {})) }, undefined, {
            signal,
            timeout: CALL_MS
          }),
        catch: failed(server.name, "did not answer")
      }).pipe(
        Effect.flatMap(({ content, structuredContent, isError }) => {
          const text = textOf(content, structuredContent)
          return isError === true ? Effect.fail(new Terminal({ code: "engine.failed", message: text })) : Effect.succeed(text)
        })
      )
  }))
}

/** The tools of all servers of the settings that answer; lives as long as the scope. */
export const makeMcp = Effect.gen(function* () {
  const settings = yield* Settings
  const scope = yield* Effect.scope
  const connections = new Map<string, Connection>()

  const connect = Effect.fnUntraced(function* (server: McpServer, key: string) {
    if (settings.host.offline && server.command === "") yield* refuseFar(server.url)
    const client = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: async () => {
          const { Client } = await import("@modelcontextprotocol/sdk/client/index.js")
          const client = new Client({ name: "voxbus", version: "1" })
          await client.connect(await transportOf(server), { timeout: CONNECT_MS })
          client.onclose = () => void connections.delete(key)
          return client
        },
        catch: failed(server.name, "could not be reached")
      }),
      (client) => Effect.promise(() => client.close().catch(() => undefined))
    )
    return yield* Effect.tryPromise({ try: () => toolsOf(server, client), catch: failed(server.name, "did not list its tools") })
  })

  const ofServer = Effect.fnUntraced(function* (server: McpServer) {
    const key = JSON.stringify(server)
    const now = yield* Clock.currentTimeMillis
    const before = connections.get(key)
    const ended = before === undefined ? undefined : before.fiber.pollUnsafe()
    if (before === undefined || (ended?._tag === "Failure" && now - before.at >= AGAIN_AFTER_MS)) {
      const fiber = yield* connect(server, key).pipe(
        Effect.provideService(Settings, settings),
        Effect.tapError((failure) => Effect.logWarning("no tools of this server").pipe(Effect.annotateLogs({ reason: failure.message }))),
        Effect.provideService(Scope.Scope, scope),
        Effect.forkIn(scope)
      )
      connections.set(key, { fiber, at: now })
    }
    const connection = connections.get(key)
    if (connection === undefined) return []
    const tools = yield* Fiber.join(connection.fiber).pipe(
      Effect.timeoutOption(PATIENCE_MS),
      Effect.orElseSucceed(() => Option.none<ReadonlyArray<Tool>>())
    )
    return Option.getOrElse(tools, (): ReadonlyArray<Tool> => [])
  })

  return Effect.flatMap(settings.reload, ({ reasoner }) =>
    Effect.map(Effect.forEach(reasoner.mcp, ofServer, { concurrency: "unbounded" }), (all) => all.flat())
  )
})
