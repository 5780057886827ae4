/** The MCP server as the official client sees it, beside a running program and without one. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { homeToken, issueToken } from "../kernel/Tokens.ts"
import { ATTENTIVE_ENGINES, MAIN, type Running, startProgram } from "./support/program.ts"
import { toneFile } from "./support/tones.ts"

let voxbus: Running
let client: Client

beforeAll(async () => {
  voxbus = await startProgram(ATTENTIVE_ENGINES)
  client = new Client({ name: "test", version: "1" })
  const environment = Object.fromEntries(
    Object.entries(voxbus.environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [MAIN, "mcp"], env: environment }))
}, 90_000)

afterAll(async () => {
  await client.close()
  await voxbus.stop()
})

const use = async (name: string, args: Record<string, unknown>, onprogress?: (progress: { progress: number }) => void): Promise<any> =>
  client.callTool({ name, arguments: args }, undefined, { timeout: 60_000, ...(onprogress === undefined ? {} : { onprogress }) })

describe("the MCP server", () => {
  it("says what it can do", async () => {
    const { tools } = await client.listTools()
    assert.sameMembers(
      tools.map(({ name }) => name),
      ["search_calls", "list_calls", "read_transcript", "transcribe_file", "speak"]
    )
    for (const { inputSchema, description } of tools) {
      assert.strictEqual(inputSchema.type, "object")
      assert.isNotEmpty(description)
    }
    assert.include(tools.find(({ name }) => name === "transcribe_file")?.inputSchema.required ?? [], "path")
  })

  it("transcribes, lists, reads and finds a call", async () => {
    const seen: Array<number> = []
    const made = await use("transcribe_file", { path: toneFile([[0.5, 2]]), title: "Printer" }, ({ progress }) => seen.push(progress))
    assert.isUndefined(made.isError, JSON.stringify(made.content))
    const { session, text } = made.structuredContent
    assert.isNotEmpty(text)
    assert.isNotEmpty(seen)
    const listed = await use("list_calls", {})
    assert.include(listed.content[0].text, `${session}`)
    assert.strictEqual(listed.structuredContent.calls[0].title, "Printer")
    const read = await use("read_transcript", { session })
    assert.match(read.content[0].text, /^Printer \(.*\n\[\d+\.\d\] /)
    assert.include(read.content[0].text, text.trim())
    const found = await use("search_calls", { query: `"${text.trim().split(/\s+/)[0]}"` })
    assert.include(found.content[0].text, session)
  })

  it("speaks", async () => {
    const spoken = await use("speak", { text: "One sentence. And another one!" })
    assert.isUndefined(spoken.isError, JSON.stringify(spoken.content))
    const audio = Buffer.from(spoken.content[1].data, "base64")
    assert.strictEqual(audio.subarray(0, 4).toString(), "RIFF")
    assert.isAbove(audio.length, 1_000)
    assert.isTrue(existsSync(spoken.structuredContent.path))
    assert.deepStrictEqual(readFileSync(spoken.structuredContent.path), audio)
  })

  it("says what is wrong and what to do", async () => {
    const missing = await use("read_transcript", { session: "01JD0000000000000000000000" })
    assert.isTrue(missing.isError)
    assert.match(missing.content[0].text, /\[session\.unknown\]|\[transcript\.missing\]/)
    for (const [name, args] of [
      ["read_transcript", { session: "nonsense" }],
      ["transcribe_file", { path: "relative.wav" }],
      ["search_calls", {}],
      ["no_such_tool", {}]
    ] as const) {
      const answer = await use(name, args)
      assert.isTrue(answer.isError, name)
      assert.include(answer.content[0].text, "[input.invalid]", name)
    }
  })
})

describe("the MCP server over HTTP", () => {
  const connected = async (token: string) => {
    const http = new Client({ name: "test", version: "1" })
    const requestInit = { headers: { authorization: `Bearer ${token}` } }
    await http.connect(new StreamableHTTPClientTransport(new URL(`${voxbus.gateway}/mcp`), { requestInit }))
    return http
  }

  it("has the same tools, with progress", async () => {
    const http = await connected(await Effect.runPromise(homeToken(voxbus.home)))
    assert.deepStrictEqual((await http.listTools()).tools, (await client.listTools()).tools)
    const seen: Array<number> = []
    const made: any = await http.callTool({ name: "transcribe_file", arguments: { path: toneFile([[0.5, 3]]) } }, undefined, {
      timeout: 60_000,
      onprogress: ({ progress }) => seen.push(progress)
    })
    assert.isNotEmpty(made.structuredContent.text, JSON.stringify(made.content))
    assert.isNotEmpty(seen)
    const read: any = await http.callTool({ name: "read_transcript", arguments: { session: made.structuredContent.session } })
    assert.include(read.content[0].text, made.structuredContent.text.trim())
    await http.close()
  })

  it("wants a token, the right scope, POST, and JSON of a bounded size", async () => {
    const token = await Effect.runPromise(issueToken(voxbus.home, "reader", ["read"]))
    const http = await connected(token)
    assert.isUndefined((await http.callTool({ name: "list_calls", arguments: {} })).isError)
    const refused: any = await http.callTool({ name: "speak", arguments: { text: "No." } })
    assert.isTrue(refused.isError)
    assert.include(refused.content[0].text, "[access.forbidden]")
    await http.close()

    const post = (headers: Record<string, string>, body = "{}", method = "POST") =>
      fetch(`${voxbus.gateway}/mcp`, {
        method,
        ...(method === "POST" ? { body } : {}),
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers }
      }).then(({ status }) => status)
    const authorization = `Bearer ${token}`
    assert.strictEqual(await post({}), 401)
    assert.strictEqual(await post({ authorization, origin: "https://evil.example" }), 403)
    assert.strictEqual(await post({ authorization }, "{}", "GET"), 405)
    assert.strictEqual(await post({ authorization }, "not JSON"), 400)
    assert.strictEqual(await post({ authorization }, "{}"), 400)
    assert.strictEqual(await post({ authorization }, JSON.stringify("x".repeat(5e6))), 413)
  })
})
