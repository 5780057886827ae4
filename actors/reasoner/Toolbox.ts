/** The tools that a session may use: the built-in ones that it names, and those of MCP servers. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ReasonerOptions } from "../../contract/Session.ts"
import type { Settings } from "../../kernel/Settings.ts"
import { makeMcp } from "./tools/mcp.ts"
import { BUILT_IN } from "./tools/registry.ts"
import type { Tool } from "./tools/Tool.ts"

export class Toolbox extends Context.Service<
  Toolbox,
  {
    /** Of two with the same name the first counts. */
    readonly tools: (options: Pick<ReasonerOptions, "tools">) => Effect.Effect<ReadonlyArray<Tool>>
  }
>()("voxbus/reasoner/Toolbox") {
  static readonly layer: Layer.Layer<Toolbox, never, Settings> = Layer.effect(
    Toolbox,
    // Connected before the first question.
    makeMcp.pipe(
      Effect.tap(Effect.forkScoped),
      Effect.map((mcp) =>
        Toolbox.of({
          tools: Effect.fnUntraced(function* (options) {
            const own = options.tools.flatMap((name) => (name === "mcp" ? [] : BUILT_IN[name]))
            const others = options.tools.includes("mcp") ? yield* mcp : []
            return [...new Map([...others, ...own].map((tool) => [tool.name, tool])).values()]
          })
        })
      )
    )
  )
}
