import { assert, describe, it } from "@effect/vitest"
import { catalog, filesFor, findEntry, sizeOf } from "./Catalog.ts"

describe("the catalogue", () => {
  it("pins every file that a source delivers, and names only models it has", () => {
    for (const entry of catalog.models)
      for (const file of entry.files)
        for (const source of file.sources) {
          const pinned = file.sha256 !== undefined || source.kind === "path"
          assert.isTrue(pinned, `${entry.name}/${file.path} can come unverified from ${source.kind}`)
          if (source.kind === "convert") assert.isDefined(findEntry(source.from))
        }
    for (const names of Object.values(catalog.sets)) for (const name of names) assert.isDefined(findEntry(name), name)
  })

  it("has one nats-server for each platform", () => {
    const nats = findEntry("nats-server")
    assert.isDefined(nats)
    if (nats === undefined) return
    for (const platform of ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64", "win32-arm64"]) {
      const files = filesFor(nats, platform)
      assert.deepStrictEqual([files.length, files[0]?.platform], [1, platform])
    }
    assert.deepStrictEqual(
      filesFor(nats, "freebsd-x64").map((file) => file.sources.map((source) => source.kind)),
      [["path"]]
    )
  })

  it("knows the size of all", () => {
    for (const entry of catalog.models) assert.isAbove(sizeOf(entry), 1_000_000, entry.name)
  })
})
