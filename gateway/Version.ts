/** The version of the program, from package.json. */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"

const PackageFile = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

export const VERSION: string = Schema.decodeUnknownSync(PackageFile)(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
).version
