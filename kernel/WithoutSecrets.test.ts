import { assert, it } from "@effect/vitest"
import { withoutSecrets } from "./WithoutSecrets.ts"

it("hides what an address or an argument may carry, and nothing else", () => {
  assert.deepStrictEqual(
    withoutSecrets({
      bus: { url: "nats://me:a@b@one:4222,tls://me:word@two:4222" },
      chat: { url: "https://host/v1?key=word#more", model: "who@where?" },
      mcp: [{ args: ["--token", "word"], environment: ["TOKEN"] }],
      port: 8765,
      off: null
    }),
    {
      bus: { url: "nats://***@one:4222,tls://***@two:4222" },
      chat: { url: "https://host/v1?***", model: "who@where?" },
      mcp: [{ args: ["***", "***"], environment: ["TOKEN"] }],
      port: 8765,
      off: null
    }
  )
})
