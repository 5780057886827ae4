/** `voxbus version`. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const packageFile: { readonly version: string } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

export const VERSION: string = packageFile.version

export const version = Command.make(
  "version",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    yield* json
      ? printJson({ voxbus: VERSION, node: process.versions.node, platform: `${process.platform}-${process.arch}` })
      : printLine(`voxbus ${VERSION} (Node ${process.versions.node}, ${process.platform}-${process.arch})`)
  })
).pipe(Command.withDescription("Print the version"))
