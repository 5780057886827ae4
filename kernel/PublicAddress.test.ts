import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isPublic, resolveChecked } from "./PublicAddress.ts"

const policy = { allowPrivate: false, offline: false }
const to = (...addresses: ReadonlyArray<string>) => ({
  ...policy,
  lookup: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))
})
const codeOf = (text: string, given: Parameters<typeof resolveChecked>[1] = policy) =>
  resolveChecked(text, given).pipe(Effect.match({ onSuccess: ({ address }) => address, onFailure: ({ code }) => code }), Effect.runPromise)

describe("addresses that others name", () => {
  it("are of the public internet, in every way to write one", () => {
    for (const address of ["93.184.215.14", "2606:2800:220:1:248:1893:25c8:1946"]) assert.isTrue(isPublic(address), address)
    for (const address of [
      "127.0.0.1",
      "10.1.2.3",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
      "255.255.255.255",
      "::1",
      "::",
      "fe80::1",
      "fd00::1",
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
      "2002:a00:1::",
      "localhost",
      ""
    ])
      assert.isFalse(isPublic(address), address)
  })

  it("are refused when any of a name's addresses is private", async () => {
    const url = "https://hooks.example/in"
    assert.strictEqual(await codeOf(url, to("93.184.215.14")), "93.184.215.14")
    assert.strictEqual(await codeOf(url, to("93.184.215.14", "10.0.0.1")), "address.private")
    assert.strictEqual(await codeOf(url, to("::ffff:169.254.169.254")), "address.private")
    assert.strictEqual(await codeOf(url, { ...to("10.0.0.1"), allowPrivate: true }), "10.0.0.1")
    assert.strictEqual(await codeOf("http://hooks.example/in", to("93.184.215.14")), "input.invalid")
    assert.strictEqual(await codeOf(url, { ...to("93.184.215.14"), offline: true }), "network.offline")
  })

  it("are refused in the spellings that browsers and curl understand", async () => {
    for (const url of [
      "http://127.0.0.1/",
      "http://0x7f.1/",
      "http://2130706433/",
      "http://[::1]/",
      "http://[::ffff:7f00:1]/",
      "http://localhost:80/"
    ])
      assert.strictEqual(await codeOf(url), "address.private", url)
    for (const url of ["ftp://example.com/", "file:///etc/passwd", "https://user:pass@example.com/", "nonsense"])
      assert.strictEqual(await codeOf(url), "input.invalid", url)
  })
})
