/** Flags of the two crash tests. */
import { parseArgs } from "node:util"

export const say = (text: string) => void process.stderr.write(`${text}\n`)

export const wrong = (text: string): never => {
  say(`${text}\nSee --help.`)
  process.exit(2)
}

export const whole = (name: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise
  return /^\d{1,9}$/.test(text) ? Number(text) : wrong(`--${name} wants a whole number, not ${text}.`)
}

/** @param help printed, and the end, with `--help` */
export const flags = (help: string) => {
  const given = (() => {
    try {
      return parseArgs({
        options: {
          seed: { type: "string" },
          kills: { type: "string" },
          "server-kills": { type: "string" },
          sabotage: { type: "string" },
          json: { type: "boolean", default: false },
          help: { type: "boolean", short: "h", default: false }
        }
      }).values
    } catch (cause) {
      return wrong(cause instanceof Error ? cause.message : String(cause))
    }
  })()
  if (given.help) {
    process.stdout.write(help)
    process.exit(0)
  }
  return given
}

/** Two columns for a person. */
export const table = (rows: ReadonlyArray<readonly [string, string]>): string =>
  `${rows.map(([name, value]) => `${name.padEnd(14)}${value}`).join("\n")}\n`
