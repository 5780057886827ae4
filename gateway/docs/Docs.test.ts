import { assert, describe, it } from "@effect/vitest"
import { asyncApi, jsonSchemas } from "../../contract/AsyncApi.ts"
import { routeOf } from "../../contract/Command.ts"
import { COMMANDS } from "../../contract/Commands.ts"
import { EVENT_TAGS } from "../../contract/Events.ts"
import { openApi } from "../../contract/OpenApi.ts"
import { apiPage } from "./ApiPage.ts"
import { eventsPage } from "./EventsPage.ts"
import { html } from "./Html.ts"
import { schemaTable, typeOf } from "./SchemaTable.ts"

/** Whether every element that is opened is closed, in order. */
const balanced = (text: string): boolean => {
  const open: Array<string> = []
  for (const [, closing, name = "", rest = ""] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^>"])*)>/g)) {
    if (rest.endsWith("/") || name === "meta" || name === "link") continue
    if (closing === "") open.push(name)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}

const pages = { api: apiPage(openApi("1", "/")), events: eventsPage(asyncApi("1"), jsonSchemas()) }

describe("the pages of the documents", () => {
  it("have everything there is, each with a link to it", () => {
    for (const spec of COMMANDS) {
      const { method, path } = routeOf(spec)
      assert.include(pages.api, `<code>${method} /api${path.replaceAll(/:(\w+)/g, "{$1}")}</code>`)
      assert.include(pages.events, `id="cmd.${spec.name}"`)
    }
    for (const tag of EVENT_TAGS) assert.include(pages.events, `id="${tag}"`)
    for (const text of Object.values(pages)) {
      const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, name]) => name)
      assert.isAbove(links.length, 40)
      for (const name of links) assert.include(text, `id="${name}"`)
    }
  })

  it("are whole, and hold no script, no style and no address of elsewhere", () => {
    for (const text of Object.values(pages)) {
      assert.isTrue(balanced(text))
      assert.notMatch(text, /<script|<style|\sstyle=|\son\w+=|https?:\/\//)
    }
    assert.isFalse(balanced("<p><b></p>"))
  })

  it("escape what they are given", () => {
    assert.strictEqual(html`<p>${"<b a='1'>&"}</p>`.text, "<p>&lt;b a=&#39;1&#39;&gt;&amp;</p>")
  })

  it("say what a field is, through references, and end where a schema holds itself", () => {
    const definitions = { Tree: { type: "object", properties: { children: { type: "array", items: { $ref: "#/$defs/Tree" } } } } }
    assert.strictEqual(typeOf({ enum: ["a", 1] }, {}), '"a" | 1')
    assert.strictEqual(typeOf({ anyOf: [{ type: "string" }, { type: "null" }] }, {}), "string | null")
    assert.strictEqual(typeOf({ type: "integer", allOf: [{ minimum: 1, maximum: 5 }] }, {}), "integer 1..5")
    assert.include(schemaTable({ $ref: "#/$defs/Tree" }, definitions).text, "array of object")
  })
})
