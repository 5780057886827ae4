/**
 * A server of the Model Context Protocol for tests, a program of its own: over stdio, or with `--http` on a free port,
 * which it prints. It has `add` (reads), `note` (writes a line to the file in `NOTES`, not to be done twice) and `fail`.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { appendFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const numbers = { type: "object" as const, properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] }
const nothing = { type: "object" as const, properties: {} }

const make = () => {
  const server = new Server({ name: "test", version: "1" }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [
      { name: "add", description: "Adds two numbers.", inputSchema: numbers, annotations: { readOnlyHint: true } },
      { name: "note", description: "Writes a note.", inputSchema: nothing },
      { name: "fail", description: "Fails.", inputSchema: nothing },
      { name: "secrets", description: "Says which variables it sees.", inputSchema: nothing }
    ]
  }))
  server.setRequestHandler(CallToolRequestSchema, ({ params: { name, arguments: input } }) => {
    const text = (content: string, isError = false) => ({ content: [{ type: "text" as const, text: content }], isError })
    if (name === "add") return text(String(Number(input?.["a"]) + Number(input?.["b"])))
    if (name === "secrets") return text(Object.keys(process.env).join(" "))
    if (name === "note") {
      appendFileSync(process.env["NOTES"] ?? "", "noted\n")
      return text("Noted.")
    }
    return text("It does not work.", true)
  })
  return server
}

if (process.argv.includes("--http")) {
  const http = createServer((request, response) => {
    // Without sessions: a server and a transport for each request.
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    response.on("close", () => void transport.close())
    void make()
      .connect(transport as Parameters<Server["connect"]>[0])
      .then(() => transport.handleRequest(request, response))
  })
  http.listen(0, "127.0.0.1", () => process.stdout.write(`${(http.address() as AddressInfo).port}\n`))
  process.stdin.resume().on("end", () => process.exit(0))
} else {
  await make().connect(new StdioServerTransport())
}
