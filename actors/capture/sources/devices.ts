/** The recording devices of this machine, whatever sound system it has, and what the guard says of them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Device } from "../../../contract/RecordingCommands.ts"
import type { Bytes } from "../../../kernel/Bus.ts"
import { type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import { type GuardLists, judge } from "../Guard.ts"
import { alsa, avfoundation, dshow } from "./ffmpegDevices.ts"
import { pulse } from "./pulse.ts"
import { type Source, streamed } from "./Source.ts"

export type FoundDevice = Omit<Device, "allowed" | "reason">

/** One sound system. */
export interface DeviceBackend {
  /** `undefined` where it is not there. */
  readonly list: Effect.Effect<ReadonlyArray<FoundDevice> | undefined>
  readonly record: (
    device: string,
    sampleRate: number,
    channels: number
  ) => Effect.Effect<Stream.Stream<Bytes, Failure>, Failure, Scope.Scope>
}

const BACKENDS: Readonly<Partial<Record<NodeJS.Platform, ReadonlyArray<DeviceBackend>>>> = {
  linux: [pulse, alsa],
  darwin: [avfoundation],
  win32: [dshow]
}

const none = new Terminal({ code: "device.unavailable", message: "No sound system with recording devices was found on this machine." })

/** The first sound system that answers. */
const system = Effect.gen(function* () {
  for (const backend of BACKENDS[process.platform] ?? []) {
    const devices = yield* backend.list
    if (devices !== undefined) return { backend, devices }
  }
  return yield* none
})

export const listDevices = (lists: GuardLists): Effect.Effect<ReadonlyArray<Device>, Terminal> =>
  Effect.map(system, ({ devices }) => devices.map((device) => ({ ...device, ...judge(device, lists) })))

/** The device, when it is there and may be recorded now. */
const permitted = Effect.fnUntraced(function* (
  id: string,
  lists: GuardLists
): Effect.fn.Return<{ readonly backend: DeviceBackend; readonly device: FoundDevice }, Failure> {
  const { backend, devices } = yield* system
  const device =
    devices.find((each) => each.id === id) ?? (id === "default" ? (devices.find((each) => each.isDefault) ?? devices[0]) : undefined)
  if (device === undefined) return yield* new Retryable({ code: "device.missing", message: `There is no device ${id}.` })
  const { allowed, reason } = judge(device, lists)
  if (!allowed) return yield* new Terminal({ code: "device.blocked", message: `${device.name} (${device.id}) is ${reason}.` })
  return { backend, device }
})

const WATCH = "1 second"

/**
 * A device. While it records, it is looked at every second whether it is still there and still allowed: sound servers
 * move a recording to another device when theirs disappears, which nobody agreed to.
 *
 * @param lists the guard's lists as they are now
 */
export const deviceSource = (id: string, rate: number, lists: Effect.Effect<GuardLists, Failure>): Source => ({
  name: id,
  continuous: false,
  open: Effect.fnUntraced(function* () {
    const { backend, device } = yield* Effect.flatMap(lists, (now) => permitted(id, now))
    const channels = Math.min(2, Math.max(1, device.channels))
    const audio = yield* backend.record(device.id, rate, channels)
    const watch = Effect.sleep(WATCH).pipe(Effect.andThen(Effect.flatMap(lists, (now) => permitted(device.id, now))), Effect.forever)
    return { sampleRate: rate, channels, feed: streamed(Stream.interruptWhen(audio, watch)) }
  })
})
