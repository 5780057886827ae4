/**
 * A real nats-server as a company would run it: TLS with certificates of both sides, and users by JWT. All keys and
 * certificates are made for this one test.
 */
import { createAccount, createOperator, createUser, encodeAccount, encodeOperator, encodeUser, fmtCreds } from "@nats-io/jwt"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { generate } from "selfsigned"
import { spawnGuarded } from "../../kernel/Guard.ts"
import { locateModel } from "../../kernel/Models.ts"
import { freePort } from "./cluster.ts"
import { cache } from "./server.ts"

export interface SecureServer {
  /** `tls://`. */
  readonly url: string
  /** Files: what a client needs, and credentials that another operator signed. */
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly credentials: string
  readonly foreignCredentials: string
  readonly stop: () => Promise<void>
}

const unlimited = {
  mem_storage: -1,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
  conn: -1,
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  leaf: -1
}

/** An operator with one account and one user in it. */
const company = async () => {
  const [operator, system, account, user] = [createOperator(), createAccount(), createAccount(), createUser()]
  return {
    operator: await encodeOperator("company", operator, { system_account: system.getPublicKey() }),
    accounts: {
      [system.getPublicKey()]: await encodeAccount("SYS", system, {}, { signer: operator }),
      [account.getPublicKey()]: await encodeAccount("VOICE", account, { limits: unlimited as never }, { signer: operator })
    },
    system: system.getPublicKey(),
    creds: fmtCreds(await encodeUser("voxbus", user, account, {}), user)
  }
}

export const startSecureServer = async (): Promise<SecureServer> => {
  const binary = (await Effect.runPromise(locateModel(cache, "nats-server"))).path("binary")
  const folder = mkdtempSync(join(tmpdir(), "voxbus-secure-"))
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const pems = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    clientCertificate: { cn: "voxbus", keyType: "ec", algorithm: "sha256" },
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "keyUsage", digitalSignature: true, keyEncipherment: true, keyCertSign: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" }
        ]
      }
    ]
  })
  const [ours, others] = [await company(), await company()]
  const caFile = write("ca.pem", pems.cert)
  const port = await freePort()
  const configuration = write(
    "nats.conf",
    `server_name: secure
listen: "127.0.0.1:${port}"
jetstream {
  store_dir: "${join(folder, "store")}"
}
tls {
  cert_file: "${write("server.pem", pems.cert)}"
  key_file: "${write("server.key", pems.private)}"
  ca_file: "${caFile}"
  verify: true
}
operator: "${ours.operator}"
system_account: "${ours.system}"
resolver: MEMORY
resolver_preload: {
${Object.entries(ours.accounts)
  .map(([key, jwt]) => `  ${key}: "${jwt}"`)
  .join("\n")}
}
`
  )
  const child = spawnGuarded(binary, ["-c", configuration])
  let said = ""
  for (const output of [child.stdout, child.stderr]) output?.setEncoding("utf8").on("data", (text: string) => (said += text))
  for (let left = 400; left > 0 && !said.includes("Server is ready"); left -= 1) {
    if (child.exitCode !== null) throw new Error(`nats-server ended: ${said}`)
    await pause(25)
  }
  return {
    url: `tls://127.0.0.1:${port}`,
    caFile,
    certFile: write("client.pem", pems.clientcert ?? ""),
    keyFile: write("client.key", pems.clientprivate ?? ""),
    credentials: write("voxbus.creds", ours.creds),
    foreignCredentials: write("foreign.creds", others.creds),
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      child.kill("SIGTERM")
      await ended
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
