/** A tool whose arguments have a schema: the model is told it, and what the model sends is checked with it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Failure, Terminal } from "../../../kernel/Failure.ts"
import type { Tool, ToolContext } from "./Tool.ts"

type Input = Schema.Top & { readonly DecodingServices: never; readonly EncodingServices: never }

/**
 * @example
 * define({ name: "current_time", description: "...", input: Schema.Struct({}), repeatable: true, run: () => Effect.succeed("...") })
 */
export const define = <I extends Input>(tool: {
  readonly name: string
  readonly description: string
  readonly input: I
  readonly repeatable: boolean
  readonly run: (input: I["Type"], context: ToolContext) => Effect.Effect<string, Failure>
}): Tool => {
  const decode = Schema.decodeUnknownEffect(tool.input)
  const { schema, definitions } = Schema.toJsonSchemaDocument(tool.input)
  return {
    name: tool.name,
    description: tool.description,
    repeatable: tool.repeatable,
    parameters: { ...schema, ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) },
    run: (input, context) =>
      decode(input).pipe(
        Effect.mapError(
          (cause) => new Terminal({ code: "input.invalid", message: `The arguments are not valid: ${cause.message}`, cause })
        ),
        Effect.flatMap((decoded) => tool.run(decoded, context))
      )
  }
}
