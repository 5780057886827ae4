/**
 * The MCP server (Model Context Protocol) with the official SDK: lists the tools of `Tools.ts` and runs them. A failure is an
 * answer with `isError`, with what it means and what to do, so that the model can tell its user.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema, type Tool as Listed } from "@modelcontextprotocol/sdk/types.js"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ERRORS } from "../../contract/Errors.ts"
import { describe, type Failure, Terminal } from "../../kernel/Failure.ts"
import type { Models } from "../../kernel/Models.ts"
import type { Settings } from "../../kernel/Settings.ts"
import { VERSION } from "../commands/version.ts"
import { type Answer, type Tool, TOOLS } from "./Tools.ts"

const listed = ({ name, means, reads, input }: Tool): Listed => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(input)
  return {
    name,
    description: means,
    inputSchema: { ...schema, type: "object", ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) },
    annotations: { readOnlyHint: reads, destructiveHint: false, openWorldHint: false }
  }
}

const told = ({ text, structured, audio }: Answer): CallToolResult => ({
  content: [
    { type: "text", text },
    ...(audio === undefined ? [] : [{ type: "audio" as const, mimeType: "audio/wav", data: Buffer.from(audio).toString("base64") }])
  ],
  ...(structured === undefined ? {} : { structuredContent: { ...structured } })
})

const failed = ({ code, message }: Failure): CallToolResult => ({
  isError: true,
  content: [{ type: "text", text: `${message} ${ERRORS[code].fix} [${code}]` }]
})

const failureOf = (cause: Cause.Cause<Failure>): Failure =>
  Option.getOrElse(
    Cause.findErrorOption(cause),
    () => new Terminal({ code: "internal", message: `An unexpected fault: ${describe(Cause.squash(cause))}` })
  )

/**
 * @param services what the tools need
 * @param permit fails when the client may not use a tool
 */
export const mcpServer = (
  services: Context.Context<Settings | Models>,
  permit: (tool: Tool) => Effect.Effect<void, Failure> = () => Effect.void
): Server => {
  const server = new Server({ name: "voxbus", title: "Voxbus", version: VERSION }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS.map(listed) }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    const found = TOOLS.find(({ name }) => name === params.name)
    if (found === undefined) return failed(new Terminal({ code: "input.invalid", message: `There is no tool ${params.name}.` }))
    const progressToken = params._meta?.progressToken
    const report = (progress: number, total: number | undefined) => {
      if (progressToken === undefined) return
      const progressed = { progressToken, progress, ...(total === undefined ? {} : { total }) }
      // Who does not want to hear of it any more has gone.
      sendNotification({ method: "notifications/progress", params: progressed }).catch(() => undefined)
    }
    const run = permit(found).pipe(Effect.andThen(found.run(params.arguments ?? {}, report)), Effect.provide(services))
    const exit = await Effect.runPromiseExit(run, { signal })
    return Exit.isSuccess(exit) ? told(exit.value) : failed(failureOf(exit.cause))
  })
  return server
}
