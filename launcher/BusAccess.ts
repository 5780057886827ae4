/**
 * The bus for a process: its address and credentials, the connection, and what the kernel builds on it for actors.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import type { Bus } from "../kernel/Bus.ts"
import type { Blobs } from "../kernel/Blobs.ts"
import { busBlobs, busFrames } from "../kernel/BusBlobs.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import type { Frames } from "../kernel/Frames.ts"
import { type Address, Connection } from "../kernel/nats/Connection.ts"
import { natsBus } from "../kernel/nats/NatsBus.ts"
import type { SettingsShape } from "../kernel/Settings.ts"

/** The users of the home's own server and their passwords. */
export const credentialsFile = (home: string): string => join(home, "credentials.json")

/** Bus, blobs and frames over one connection. */
export const busLayer = (address: Address): Layer.Layer<Bus | Blobs | Frames, Failure> =>
  Layer.mergeAll(busBlobs, busFrames).pipe(Layer.provideMerge(natsBus), Layer.provide(Connection.layer(address)))

const secretsOf = ({ username, password }: URL) =>
  username === "" ? {} : { user: decodeURIComponent(username), password: decodeURIComponent(password) }

/**
 * A bus that runs elsewhere, from its address and the credentials of the settings. User and password may stand in the
 * address; what comes back holds them apart, so that the address can be shown.
 *
 * @param text one or several of `nats://[user:password@]host:port`, `tls://...`, separated by commas
 */
export const addressOf = (text: string, { bus }: Pick<SettingsShape, "bus">): Effect.Effect<Omit<Address, "name">, Terminal> =>
  Effect.try({
    try: () => {
      const urls = text.split(",").map((each) => new URL(each.trim()))
      const [first] = urls
      if (first === undefined || urls.some((url) => !["nats:", "tls:"].includes(url.protocol) || url.host === "")) throw new Error(text)
      return {
        url: urls.map((url) => `${url.protocol}//${url.host}`).join(","),
        ...secretsOf(first),
        ...(bus.credentials === "" ? {} : { credentialsFile: bus.credentials }),
        tls: { caFile: bus.caFile, certFile: bus.certFile, keyFile: bus.keyFile }
      }
    },
    catch: () =>
      new Terminal({
        code: "config.invalid",
        message: `${text.replaceAll(/\/\/[^@/,]*@/g, "//...@")} is not an address such as nats://host:4222 or tls://host:4222.`
      })
  })
