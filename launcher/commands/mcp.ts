/** `voxbus mcp`: the MCP server on standard input and output, for programs with a language model. */
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { Models } from "../../kernel/Models.ts"
import type { Settings } from "../../kernel/Settings.ts"
import { mcpServer } from "../mcp/Server.ts"

export const mcp = Command.make(
  "mcp",
  {},
  Effect.fn(function* () {
    const server = mcpServer(yield* Effect.context<Settings | Models>())
    yield* Effect.acquireRelease(
      Effect.promise(() => server.connect(new StdioServerTransport())),
      () => Effect.promise(() => server.close())
    )
    // The client ends it by closing standard input.
    yield* Effect.callback<void>((done) => {
      const end = () => done(Effect.void)
      process.stdin.once("end", end)
      process.stdin.once("close", end)
      server.onclose = end
    })
  }, Effect.scoped)
).pipe(
  Command.withDescription("Give a language model tools to search, read, transcribe and speak (MCP on standard input and output)"),
  Command.withExamples([{ command: "claude mcp add voxbus -- npx voxbus mcp", description: "In a program that speaks MCP" }])
)
