/** Webhooks of the real program: a receiver that fails, a program that is killed meanwhile, dead letters, and no way inside. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, statSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { Webhook } from "standardwebhooks"
import { ListLetters, RetryLetters } from "../contract/DlqCommands.ts"
import { AddWebhook, ListWebhooks, RemoveWebhook, TestWebhook } from "../contract/WebhookCommands.ts"
import { runCall } from "../launcher/Call.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { testkitConfig } from "./support/load.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { toneFile } from "./support/tones.ts"

interface Posted {
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string
  readonly status: number
}

const posted: Array<Posted> = []
/** What the receiver answers; 0 hangs up. */
let answers: (path: string) => number = () => 204
const headersOf = ({ headers }: IncomingMessage) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
const receiver = createServer(async (request, response) => {
  const path = request.url ?? ""
  const body = await text(request)
  const status = answers(path)
  posted.push({ path, headers: headersOf(request), body, status })
  if (status === 0) return request.socket.destroy()
  response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end()
})

const CONFIG = { webhooks: { attempts: 9, firstPauseSeconds: 0.05, longestPauseSeconds: 1, timeoutSeconds: 2 } }
let voxbus: Running
let bus: BusOf
let address: string

beforeAll(async () => {
  await new Promise<void>((done) => receiver.listen(0, "127.0.0.1", done))
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  voxbus = await startProgram(TESTKIT_ENGINES, CONFIG)
  bus = await busOf(voxbus)
}, 60_000)

afterAll(async () => {
  await bus.close()
  await voxbus.stop()
  receiver.closeAllConnections()
  receiver.close()
})

const transcribed = async (seconds: number) => {
  const run = runCall({ path: toneFile([[0.5, seconds]]), title: "Secret title", config: testkitConfig }, () => Effect.void)
  return (await Effect.runPromise(Effect.provide(run, bus.services))).session
}
const takenAt = (path: string) => posted.filter((each) => each.path === path && each.status === 204)
const stateOf = async (id: string) => (await bus.ask(ListWebhooks, {})).webhooks.find((each) => each.id === id)
const refusal = (run: Promise<unknown>) =>
  run.then(
    () => "allowed",
    (failure: { readonly code: string }) => failure.code
  )

describe("webhooks", () => {
  it("deliver chosen events, signed and without words, and whole ones where that is wanted", async () => {
    const added = await voxbus.run(
      "webhooks",
      "add",
      `${address}/plain`,
      "--events",
      "text.transcribed,text.rejected,bundle.ready",
      "--allow-private",
      "--json"
    )
    assert.strictEqual(added.code, 0, added.stderr)
    const [{ id, secret }] = added.json
    await bus.ask(AddWebhook, { url: `${address}/whole`, events: ["bundle.ready"], content: true, allowPrivate: true })
    assert.strictEqual((await bus.ask(TestWebhook, { id })).status, 204)
    const session = await transcribed(2)
    const whole = await until(async () => takenAt("/whole")[0])
    const plain = await until(async () => takenAt("/plain").find(({ body }) => body.includes("bundle.ready")))
    for (const each of takenAt("/plain")) new Webhook(secret).verify(each.body, each.headers)
    assert.throws(() => new Webhook(secret).verify(whole.body, whole.headers))
    assert.strictEqual(JSON.parse(plain.body).data.event.session, session)
    assert.strictEqual(JSON.parse(takenAt("/plain")[0]?.body ?? "").type, "webhook.test")
    assert.notInclude(
      takenAt("/plain")
        .map(({ body }) => body)
        .join(),
      "Secret title"
    )
    assert.notInclude(plain.body, voxbus.home)
    assert.include(whole.body, voxbus.home)
    const file = join(voxbus.home, "webhooks.json")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.notInclude(JSON.stringify(await bus.ask(ListWebhooks, {})), secret)
    assert.notInclude(voxbus.log(), secret)
    await bus.ask(RemoveWebhook, { id })
  })

  it("are never lost: not by a receiver that fails, not by a program that is killed meanwhile", async () => {
    answers = (path) => (path === "/later" ? 500 : 204)
    const { id } = await bus.ask(AddWebhook, { url: `${address}/later`, events: ["session.opened"], allowPrivate: true })
    const session = await transcribed(2.5)
    await until(async () => posted.find(({ path }) => path === "/later"))
    const home = await voxbus.killed()
    await bus.close()
    voxbus = await startProgram(TESTKIT_ENGINES, CONFIG, home)
    bus = await busOf(voxbus)
    answers = () => 204
    const delivered = await until(async () => takenAt("/later")[0])
    assert.strictEqual(JSON.parse(delivered.body).data.event.session, session)
    assert.isAbove(posted.filter(({ path }) => path === "/later").length, 1)
    const ids = new Set(posted.filter(({ path }) => path === "/later").map(({ headers }) => headers["webhook-id"]))
    assert.strictEqual(ids.size, 1, "the same event has one id")
    await until(async () => ((await stateOf(id))?.waiting === 0 ? true : undefined))
  })

  it("are dead letters after so many tries, and are delivered when those are tried again", async () => {
    answers = (path) => (path === "/dead" ? (posted.length % 2 === 0 ? 0 : 302) : 204)
    const { id } = await bus.ask(AddWebhook, { url: `${address}/dead`, events: ["session.closed"], allowPrivate: true })
    await transcribed(3)
    const letter = await until(async () => (await bus.ask(ListLetters, {})).letters.find(({ actor }) => actor === `webhook-${id}`), 90)
    assert.deepInclude(letter, { code: "webhook.failed", attempts: 9 })
    assert.isEmpty(
      posted.filter(({ path }) => path === "/elsewhere"),
      "a redirect was followed"
    )
    assert.isAbove((await stateOf(id))?.failing ?? 0, 3)
    answers = () => 204
    await bus.ask(RetryLetters, { ids: [letter.id] })
    const delivered = await until(async () => takenAt("/dead")[0])
    assert.strictEqual(JSON.parse(delivered.body).type, "session.closed")
  })

  it("reach nothing inside unless that is allowed", async () => {
    const add = (url: string) => refusal(bus.ask(AddWebhook, { url, events: ["bundle.ready"] }))
    for (const url of [address, "http://localhost:1/", "https://169.254.169.254/latest", "http://[::1]:8765/api"])
      assert.strictEqual(await add(url), "address.private", url)
    assert.strictEqual(await add("gopher://127.0.0.1/"), "input.invalid")
    assert.strictEqual(
      await refusal(bus.ask(AddWebhook, { url: address, events: ["tombstone.written"], allowPrivate: true })),
      "input.invalid"
    )
    assert.isTrue(readFileSync(join(voxbus.home, "webhooks.json"), "utf8").includes("/whole"))
  })
})
