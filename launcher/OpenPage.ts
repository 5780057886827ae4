/** The page in the user's browser, through a one-time link. */
import * as Effect from "effect/Effect"
import { linkCode } from "../kernel/Tokens.ts"
import { note } from "./Output.ts"

/** A link to the gateway's page that works once, within an hour. */
export const oneTimeLink = (home: string, gateway: string) => Effect.map(linkCode(home), (code) => `${gateway}/login?code=${code}`)

/** Whether somebody sits in front of this machine: a terminal, and a display where there is no other sign of one. */
export const hasDesktop = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  process.stdout.isTTY &&
  environment["CI"] === undefined &&
  environment["SSH_CONNECTION"] === undefined &&
  (process.platform !== "linux" || environment["DISPLAY"] !== undefined || environment["WAYLAND_DISPLAY"] !== undefined)

/** Never fails: the link is on the screen too. */
export const openPage = (link: string): Effect.Effect<void> =>
  Effect.tryPromise(async () => (await import("open")).default(link)).pipe(
    Effect.catch(() => note("voxbus: no browser could be opened; use the link above.")),
    Effect.asVoid
  )
