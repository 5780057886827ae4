/**
 * The keyring of the system: keys are kept there and nowhere else. Runs where a Secret Service can be started
 * (`dbus-run-session`, `gnome-keyring-daemon`), in a session of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFile, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freshHome, MAIN } from "./support/program.ts"

const has = (program: string) => spawnSync("which", [program]).status === 0
const there = ["dbus-run-session", "dbus-send", "gnome-keyring-daemon"].every(has)
const KEY = "planted-keyring-0123456789"

const SCRIPT = `
printf secret | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
daemon=$!
owned() { dbus-send --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets; }
for _ in $(seq 100); do owned | grep -q "boolean true" && break; sleep 0.05; done
voxbus() { "$NODE" "$MAIN" "$@"; }
printf '%s\\n' "${KEY}" | voxbus keys set elevenlabs --stdin --no-check
voxbus keys list --json
voxbus keys remove elevenlabs
voxbus keys list --json
kill $daemon
`

describe("the system's keyring", () => {
  it.skipIf(!there)("keeps a key, and nothing else does", async () => {
    const program = freshHome()
    const home = mkdtempSync(join(tmpdir(), "voxbus-keyring-"))
    const out = await new Promise<string>((resolve) => {
      const env = { ...program.environment, HOME: home, NODE: process.execPath, MAIN, VOXBUS_KEYRING: "auto" }
      execFile("dbus-run-session", ["--", "bash", "-c", SCRIPT], { env, timeout: 60_000 }, (_error, stdout) => resolve(stdout))
    })
    const [kept, removed] = out
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line).keys.find(({ name }: { name: string }) => name === "elevenlabs"))
    assert.deepInclude(kept, { set: true, place: "keyring", masked: "...6789" })
    assert.isFalse(removed.set)
    for (const folder of [program.home, home])
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
        if (entry.isFile()) assert.notInclude(readFileSync(join(entry.parentPath, entry.name), "latin1"), KEY)
    assert.notInclude(out, KEY)
    rmSync(home, { recursive: true })
    program.remove()
  })
})
