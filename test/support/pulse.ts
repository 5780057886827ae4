/**
 * A PulseAudio server of the test's own, without hardware: a null sink `call`, and `mic`, a microphone that hears what is
 * played into it. To a program they are devices like any other.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

export interface Pulse {
  /** For programs that are to use it. */
  readonly environment: { readonly PULSE_SERVER: string }
  readonly pactl: (...args: ReadonlyArray<string>) => string
  /** Plays raw 16 kHz mono samples into `call`, over and over, until the process ends. */
  readonly play: (samples: Int16Array) => ChildProcess
  /** A program that uses the microphone. */
  readonly listen: (name: string) => ChildProcess
  /** Takes the microphone away; returns what brings it back. */
  readonly unplug: () => () => void
  readonly stop: () => Promise<void>
}

const MIC = [
  "load-module",
  "module-remap-source",
  "source_name=mic",
  "master=call.monitor",
  "source_properties=device.description=Test-Mic"
]

/** Nothing where PulseAudio is not installed or cannot run; it says so, because a test that is left out must not look green. */
export const startPulse = async (): Promise<Pulse | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), "voxbus-pulse-"))
  const socket = join(folder, "native")
  const environment = { PULSE_SERVER: `unix:${socket}` }
  const script = join(folder, "default.pa")
  writeFileSync(
    script,
    `load-module module-native-protocol-unix auth-anonymous=1 socket=${socket}\nload-module module-null-sink sink_name=call rate=48000 channels=1\n`
  )
  const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, ...environment }
  const server = spawn(
    "pulseaudio",
    ["-n", "-F", script, "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"],
    {
      env,
      stdio: "ignore"
    }
  )
  let alive = true
  server.once("error", () => (alive = false))
  server.once("exit", () => (alive = false))
  const pactl = (...args: ReadonlyArray<string>) =>
    execFileSync("pactl", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  const works = () => {
    try {
      pactl("info")
      return true
    } catch {
      return false
    }
  }
  for (let tries = 0; alive && !works(); tries += 1) {
    if (tries > 100) alive = false
    await pause(100)
  }
  if (!alive) {
    server.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
    console.warn("\n*** NO PULSEAUDIO HERE: recording from a real device and call detection WERE NOT TESTED. Install pulseaudio. ***\n")
    return undefined
  }
  const children: Array<ChildProcess> = []
  const start = (program: string, args: ReadonlyArray<string>) => {
    const child = spawn(program, args, { env, stdio: ["pipe", "ignore", "ignore"] })
    children.push(child)
    return child
  }
  let microphone = pactl(...MIC).trim()
  return {
    environment,
    pactl,
    play: (samples) => {
      const file = join(folder, `play-${children.length}.raw`)
      writeFileSync(file, new Uint8Array(samples.buffer))
      return start("sh", [
        "-c",
        `while cat "$0"; do :; done | exec pacat --raw --device=call --format=s16le --rate=16000 --channels=1`,
        file
      ])
    },
    listen: (name) => start("parec", ["--device=mic", "--raw", `--client-name=${name}`]),
    unplug: () => {
      pactl("unload-module", microphone)
      return () => void (microphone = pactl(...MIC).trim())
    },
    stop: async () => {
      for (const child of children) child.kill("SIGKILL")
      const gone = once(server, "exit")
      server.kill("SIGKILL")
      await gone
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
