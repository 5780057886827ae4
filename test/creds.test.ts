/** Issued bus users: what they may do, that they count at once, and an actor elsewhere that works with them. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { compareSync } from "bcryptjs"
import { ulid } from "ulid"
import { ActorsStatus } from "../contract/ActorCommands.ts"
import { ListAudit } from "../contract/AuditCommands.ts"
import { IssueCredentials, RevokeCredentials, type Rights } from "../contract/CredsCommands.ts"
import { PinSession, RebuildIndex } from "../contract/SessionCommands.ts"
import { runCall } from "../launcher/Call.ts"
import * as Effect from "effect/Effect"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { testkitConfig } from "./support/load.ts"
import { freshHome, MAIN, type Program, type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { toneFile } from "./support/tones.ts"

let voxbus: Running
let bus: BusOf
let elsewhere: Program & { readonly remove: () => void }
let worker: ChildProcess | undefined

beforeAll(async () => {
  voxbus = await startProgram(TESTKIT_ENGINES)
  bus = await busOf(voxbus)
  elsewhere = freshHome(TESTKIT_ENGINES)
}, 60_000)

afterAll(async () => {
  worker?.kill("SIGTERM")
  elsewhere.remove()
  await bus.close()
  await voxbus.stop()
})

const issue = (name: string, rights: Rights) => bus.ask(IssueCredentials, { name, rights })
const READ: Rights = { kind: "read", audio: false }
const login = ({ name, password, inboxPrefix }: any): Promise<NatsConnection> =>
  connect({ servers: voxbus.bus, user: name, pass: password, inboxPrefix, reconnect: false })
const asks = async (nc: NatsConnection, subject: string, body = "{}") => (await nc.request(subject, body, { timeout: 20_000 })).json<any>()
const all = async <A>(from: AsyncIterable<A>) => {
  const found: Array<A> = []
  for await (const each of from) found.push(each)
  return found
}
/** Whether the server lets it be asked at all; a command that is refused for its content was allowed. */
const allowed = (nc: NatsConnection, subject: string) =>
  asks(nc, subject).then(
    () => true,
    () => false
  )
const transcribed = async (loud: Parameters<typeof toneFile>[0]) => {
  const run = runCall({ path: toneFile(loud), config: testkitConfig }, () => Effect.void)
  return (await Effect.runPromise(Effect.provide(run, bus.services))).session
}
const words = async (session: string) => (await bus.events(`text.*.call.${session}.>`)).length

describe("issued bus users", () => {
  it("read: the log by consumer and live, commands that change nothing, and no more", async () => {
    const nc = await login(await issue("reader", READ))
    const live = nc.subscribe("text.>", { max: 1 })
    await nc.flush()
    await transcribed([[0.5, 3]])
    const [seen] = await all(live)
    assert.match(seen?.subject ?? "", /^text\.(transcribed|rejected)\.call\./)

    const consumer = await jetstream(nc).consumers.get("CALLS", { filter_subjects: "bundle.ready.call.>" })
    const [bundle] = await all(await consumer.fetch({ max_messages: 1, expires: 10_000 }))
    assert.include(bundle?.subject, "bundle.ready.call.")
    assert.lengthOf((await asks(nc, "cmd.sessions.list")).sessions, 1)

    for (const command of ["cmd.sessions.delete", "cmd.transcripts.edit", "cmd.keys.list", "cmd.creds.issue", "cmd.config.set"])
      assert.isFalse(await allowed(nc, command), command)
    const log = jetstream(nc, { timeout: 10_000 })
    const refused = (run: () => Promise<unknown>) =>
      run().then(
        () => assert.fail("it was allowed"),
        () => undefined
      )
    await refused(() => log.publish(`text.partial.call.${ulid()}.000001.000001`, "{}"))
    await refused(() => log.consumers.get("FRAMES_CALLS", { filter_subjects: "frames.call.>" }))
    const jsm = await jetstreamManager(nc, { checkAPI: false })
    await refused(() => jsm.consumers.delete("CALLS", "transcriber"))
    await refused(() => jsm.streams.purge("CALLS"))
    await nc.close()
  })

  it("a reader cannot have a command carried out by a consumer that delivers to its subject", async () => {
    const nc = await login(await issue("pusher", READ))
    const jsm = await jetstreamManager(nc, { checkAPI: false })
    // The server asks nobody whether the subject may be published on.
    const { name } = await jsm.consumers.add("CALLS", {
      ack_policy: AckPolicy.None,
      deliver_subject: "cmd.index.rebuild",
      deliver_group: "cmd.index.rebuild",
      filter_subject: "bundle.ready.call.>",
      headers_only: true
    })
    await transcribed([[0.5, 2.5]])
    await until(async () => ((await jsm.consumers.info("CALLS", name)).delivered.consumer_seq > 0 ? true : undefined))
    // Another command after it: by then the first was handled, or never will be.
    await bus.ask(PinSession, { session: ulid(), pinned: true }).catch(() => undefined)
    // The command itself is one that an empty message asks for.
    assert.isAbove((await bus.ask(RebuildIndex, {})).sessions, 0)
    const { records } = await bus.ask(ListAudit, {})
    assert.lengthOf(
      records.filter(({ command }) => command === "index.rebuild"),
      1
    )
    await nc.close()
  })

  it("write: commands that change something, but not those of an administrator", async () => {
    const nc = await login(await issue("writer", { kind: "write", audio: false }))
    assert.isTrue(await allowed(nc, "cmd.sessions.pin"))
    assert.isFalse(await allowed(nc, "cmd.creds.list"))
    await nc.close()
  })

  it("count without losing the bus, are kept as hashes, and end when they are revoked", async () => {
    const pid = readFileSync(join(voxbus.home, "nats", "nats.pid"), "utf8")
    const [issued] = (await voxbus.run("creds", "issue", "short-lived", "--json")).json
    const nc = await login(issued)
    const file = join(voxbus.home, "bus-users.json")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    const kept = JSON.parse(readFileSync(file, "utf8")).find(({ name }: any) => name === "short-lived")
    assert.isTrue(compareSync(issued.password, kept.bcrypt))
    for (const each of ["bus-users.json", join("nats", "nats.conf")])
      assert.notInclude(readFileSync(join(voxbus.home, each), "utf8"), issued.password)
    assert.notInclude(voxbus.log(), issued.password)

    const closed = nc.closed()
    await bus.ask(RevokeCredentials, { name: "short-lived" })
    await closed
    await login(issued).then(
      () => assert.fail("revoked and let in"),
      () => undefined
    )
    assert.strictEqual(readFileSync(join(voxbus.home, "nats", "nats.pid"), "utf8"), pid)
    assert.notInclude(voxbus.log(), "nats-server stopped")
    await issue("operator", READ).then(
      () => assert.fail("a user of ours was replaced"),
      (failure: Error) => assert.include(failure.message, "another name")
    )
  })

  it("an actor on another home does the work", async () => {
    const { url } = await issue("worker-2", { kind: "actor", actor: "transcriber" })
    worker = spawn(process.execPath, [MAIN, "run", "transcriber", "--bus", url], {
      env: { ...elsewhere.environment, VOXBUS_LOG_LEVEL: "debug" },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let log = ""
    worker.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text))
    await until(async () => (/ready/.test(log) ? true : undefined))
    const { actors } = await bus.ask(ActorsStatus, {})
    const found = actors.find(({ actor }) => actor === "transcriber")?.processes ?? []
    // With our own transcriber stopped, whatever is transcribed was transcribed there.
    for (const pid of found) process.kill(pid, "SIGSTOP")
    try {
      assert.isAbove(await words(await transcribed([[0.5, 2]])), 0)
      assert.match(log, /handled.*audio\.normalized/s)
      assert.isNotEmpty(found)
    } finally {
      for (const pid of found) process.kill(pid, "SIGCONT")
    }
  })
})
