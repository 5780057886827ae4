/** Writes `generated/`: `npm run contract`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { asyncApi, jsonSchemas } from "./AsyncApi.ts"

const folder = new URL("generated/", import.meta.url)
const packageFile: { readonly version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

/** Path below `generated/` to the text of the file. */
export const files = (): ReadonlyMap<string, string> => {
  const text = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  return new Map([
    ["asyncapi.json", text(asyncApi(packageFile.version))],
    ...[...jsonSchemas()].map(([name, schema]) => [`schemas/${name}`, text(schema)] as const)
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(new URL("schemas/", folder), { recursive: true })
  for (const [name, text] of files()) writeFileSync(new URL(name, folder), text)
}
