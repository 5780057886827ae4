/**
 * The bus for a process: the connection, and what the kernel builds on it for actors.
 */
import * as Layer from "effect/Layer"
import { join } from "node:path"
import type { Bus } from "../kernel/Bus.ts"
import type { Blobs } from "../kernel/Blobs.ts"
import { busBlobs, busFrames } from "../kernel/BusBlobs.ts"
import type { Retryable } from "../kernel/Failure.ts"
import type { Frames } from "../kernel/Frames.ts"
import { type Address, Connection } from "../kernel/nats/Connection.ts"
import { natsBus } from "../kernel/nats/NatsBus.ts"

/** The users of the home's own server and their passwords. */
export const credentialsFile = (home: string): string => join(home, "credentials.json")

/** Bus, blobs and frames over one connection. */
export const busLayer = (address: Address): Layer.Layer<Bus | Blobs | Frames, Retryable> =>
  Layer.mergeAll(busBlobs, busFrames).pipe(Layer.provideMerge(natsBus), Layer.provide(Connection.layer(address)))
