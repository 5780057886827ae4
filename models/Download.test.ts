import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { download } from "./Download.ts"

const content = randomBytes(300_000)
const sum = createHash("sha256").update(content).digest("hex")

/** A server on a free port that answers with `handle` and remembers the ranges it was asked for. */
const server = (handle: (request: IncomingMessage, response: ServerResponse, index: number) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly ranges: ReadonlyArray<string> }>((resume) => {
      const ranges: Array<string> = []
      const http = createServer((request, response) => {
        ranges.push(request.headers.range ?? "")
        handle(request, response, ranges.length)
      })
      http.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/file`, ranges, http }))
      )
    }),
    (made) => Effect.sync(() => (made as unknown as { http: ReturnType<typeof createServer> }).http.closeAllConnections())
  )

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "voxbus-download-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const whole = (request: IncomingMessage, response: ServerResponse) => {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
  if (start >= content.length) return void response.writeHead(416).end()
  response.writeHead(start === 0 ? 200 : 206, { "content-length": content.length - start })
  response.end(content.subarray(start))
}

const options = { sha256: sum, onBytes: () => undefined }

describe("download", () => {
  it.live("continues a part that is there, and reports absolute bytes", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "file")
      const { ranges, url } = yield* server(whole)
      yield* Effect.promise(() => writeFile(`${target}.part`, content.subarray(0, 100_000)))
      const seen: Array<number> = []
      yield* download(url, target, { sha256: sum, onBytes: (received, total) => seen.push(received, total) })
      assert.deepStrictEqual(ranges, ["bytes=100000-"])
      assert.deepStrictEqual(yield* Effect.promise(() => readFile(target)), content)
      assert.isAbove(seen[0] ?? 0, 100_000)
      assert.deepStrictEqual(seen.slice(-2), [300_000, 300_000])
    })
  )

  it.live("goes on from where a connection broke", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "file")
      const { ranges, url } = yield* server((request, response, index) => {
        if (index > 1) return whole(request, response)
        response.writeHead(200, { "content-length": content.length })
        response.write(content.subarray(0, 120_000), () => setTimeout(() => response.destroy(), 50))
      })
      yield* download(url, target, options)
      assert.strictEqual(ranges.length, 2)
      assert.match(ranges[1] ?? "", /^bytes=\d+-$/)
      assert.deepStrictEqual(yield* Effect.promise(() => readFile(target)), content)
    })
  )

  it.live("takes a part that is already whole", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "file")
      const { url } = yield* server(whole)
      yield* Effect.promise(() => writeFile(`${target}.part`, content))
      yield* download(url, target, options)
      assert.deepStrictEqual(yield* Effect.promise(() => readFile(target)), content)
    })
  )

  it.live("starts over, once, when a continued file has the wrong sum", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "file")
      const { ranges, url } = yield* server(whole)
      yield* Effect.promise(() => writeFile(`${target}.part`, Buffer.alloc(100_000)))
      yield* download(url, target, options)
      assert.deepStrictEqual(ranges, ["bytes=100000-", ""])
      assert.deepStrictEqual(yield* Effect.promise(() => readFile(target)), content)
    })
  )

  it.live("refuses and discards a file with the wrong sum", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "file")
      const { url } = yield* server(whole)
      const failure = yield* Effect.flip(download(url, target, { ...options, sha256: "0".repeat(64) }))
      assert.strictEqual(failure.code, "model.checksum")
      assert.include(failure.reason, sum.slice(0, 16))
      assert.isFalse(existsSync(target) || existsSync(`${target}.part`))
    })
  )

  it.live("says what the server answered", () =>
    Effect.gen(function* () {
      const { url } = yield* server((_, response) => void response.writeHead(404).end())
      const failure = yield* Effect.flip(download(url, join(yield* folder, "file"), options))
      assert.deepStrictEqual([failure.code, failure.reason], ["model.sources", "HTTP 404"])
    })
  )

  it.live("asks a host that cannot be reached only once", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "file")
      const first = yield* Effect.flip(download("http://voxbus.invalid/a", target, options))
      const second = yield* Effect.flip(download("http://voxbus.invalid/b", target, options))
      assert.strictEqual(first.code, "model.sources")
      assert.strictEqual(second.reason, first.reason)
    })
  )
})
