import { assert, describe, it } from "@effect/vitest"
import { Webhook } from "standardwebhooks"
import { payloadOf, secretOf, signedHeaders } from "./Payload.ts"

const record = {
  stream: "CALLS",
  subject: "text.transcribed.call.01JD0000000000000000000000.000007",
  sequence: 12,
  time: 1_700_000_000_000,
  headers: { "Vox-Actor": "transcriber", "Vox-Cause": "CALLS:9" },
  data: new TextEncoder().encode(
    JSON.stringify({
      _tag: "text.transcribed",
      v: 1,
      mode: "call",
      unit: 7,
      text: "my secret",
      segments: [{ text: "my secret" }],
      title: "Printer",
      config: { a: 1 }
    })
  )
} as const

describe("what a webhook sends", () => {
  it("has no words unless they are wanted", () => {
    const { type, data } = payloadOf(record, false)
    assert.strictEqual(type, "text.transcribed")
    assert.deepStrictEqual(data.event, { _tag: "text.transcribed", v: 1, mode: "call", unit: 7 })
    assert.notInclude(JSON.stringify(payloadOf(record, false)), "secret")
    assert.include(JSON.stringify(payloadOf(record, true)), "my secret")
  })

  it("is signed so that a library for Standard Webhooks accepts it, and nothing that was changed", () => {
    const secret = secretOf(new Uint8Array(32).fill(7))
    const body = JSON.stringify(payloadOf(record, false))
    const headers = signedHeaders(secret, "a_CALLS_12", Date.now(), body)
    const receiver = new Webhook(secret)
    assert.deepStrictEqual(receiver.verify(body, headers), JSON.parse(body))
    assert.throws(() => receiver.verify(body.replace("CALLS", "CELLS"), headers))
    assert.throws(() => receiver.verify(body, { ...headers, "webhook-id": "b" }))
    assert.throws(() => receiver.verify(body, signedHeaders(secret, "a_CALLS_12", Date.now() - 3_600_000, body)))
  })
})
