/**
 * Three real nats-servers on loopback that form a JetStream cluster, each a process that can be killed and started again.
 * They are under guard: a test that is ended by SIGKILL leaves none behind.
 */
import type { ChildProcess } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { spawnGuarded } from "../../kernel/Guard.ts"
import { locateModel } from "../../kernel/Models.ts"
import { cache } from "./server.ts"

export interface Cluster {
  /** Addresses of all nodes, separated by commas. */
  readonly url: string
  /** SIGKILL. */
  readonly kill: (node: number) => Promise<void>
  readonly restart: (node: number) => Promise<void>
  /** The node that leads a stream, 0 to 2. */
  readonly leaderOf: (stream: string) => Promise<number>
  readonly replicasOf: (stream: string) => Promise<number>
  readonly stop: () => Promise<void>
}

export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const until = async <A>(what: string, seconds: number, ask: () => Promise<A | undefined>): Promise<A> => {
  for (let left = seconds * 20; left > 0; left -= 1) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    await pause(50)
  }
  throw new Error(`${what} took more than ${seconds} s`)
}

export const startCluster = async (): Promise<Cluster> => {
  const binary = (await Effect.runPromise(locateModel(cache, "nats-server"))).path("binary")
  const folder = mkdtempSync(join(tmpdir(), "voxbus-cluster-"))
  const ports = await Promise.all(Array.from({ length: 9 }, freePort))
  const [client, route, http] = [ports.slice(0, 3), ports.slice(3, 6), ports.slice(6, 9)]
  const nodes: Array<ChildProcess | undefined> = []

  const pidFile = (node: number) => join(folder, `n${node}.pid`)
  const start = (node: number) => {
    const path = join(folder, `n${node}.conf`)
    writeFileSync(
      path,
      `server_name: n${node}
listen: "127.0.0.1:${client[node]}"
http: "127.0.0.1:${http[node]}"
pid_file: "${pidFile(node)}"
jetstream {
  store_dir: "${join(folder, `store${node}`)}"
  sync_interval: always
}
cluster {
  name: voxbus
  listen: "127.0.0.1:${route[node]}"
  routes: [${route.map((port) => `"nats-route://127.0.0.1:${port}"`).join(", ")}]
}
`
    )
    const child = spawnGuarded(binary, ["-c", path, "-l", join(folder, `n${node}.log`)])
    child.stdout?.resume()
    child.stderr?.resume()
    nodes[node] = child
  }
  const kill = (node: number) =>
    new Promise<void>((resolve) => {
      const child = nodes[node]
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resolve()
      // The guard ends when the server does.
      child.once("exit", () => resolve())
      process.kill(Number.parseInt(readFileSync(pidFile(node), "utf8"), 10), "SIGKILL")
    })
  const healthy = (node: number) =>
    until(`node ${node}`, 30, async () => ((await fetch(`http://127.0.0.1:${http[node]}/healthz`)).ok ? true : undefined))
  /** What some living node knows of a stream. */
  const stream = (name: string) =>
    until(`the leader of ${name}`, 20, async () => {
      for (const port of http) {
        const answer: any = await fetch(`http://127.0.0.1:${port}/jsz?streams=true&config=true`)
          .then((response) => response.json())
          .catch(() => undefined)
        const found = answer?.account_details?.flatMap((each: any) => each.stream_detail ?? []).find((each: any) => each.name === name)
        if (found?.cluster?.leader) return found
      }
      return undefined
    })

  for (const node of [0, 1, 2]) start(node)
  await Promise.all([0, 1, 2].map(healthy))
  return {
    url: client.map((port) => `nats://127.0.0.1:${port}`).join(","),
    kill,
    restart: async (node) => {
      start(node)
      await healthy(node)
    },
    leaderOf: async (name) => Number(String((await stream(name)).cluster.leader).slice(1)),
    replicasOf: async (name) => (await stream(name)).config.num_replicas,
    stop: async () => {
      await Promise.all([0, 1, 2].map(kill))
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
