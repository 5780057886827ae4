/**
 * Child processes that die with their parent, also when the parent is killed with SIGKILL.
 *
 * Our own programs watch their standard input: when the parent is gone it ends, and `exitWithParent` leaves. A foreign
 * program (nats-server) does not, so on POSIX a shell stands guard: it holds the other end of the parent's pipe and
 * ends the program when the pipe closes. On Windows the program is started directly.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"

// $0 is the program. fd 3 keeps the pipe: the shell gives background jobs /dev/null as standard input.
const GUARD = `"$0" "$@" <&- & child=$!
( read -r _ <&3; kill -TERM $child 2>/dev/null; sleep 3; kill -KILL $child 2>/dev/null ) & guard=$!
exec 3<&-
trap 'kill -TERM $child 2>/dev/null' TERM INT
wait $child; code=$?
kill $guard 2>/dev/null
exit $code`

/** Starts a foreign program under guard. Its standard input is the life line: it must stay open. */
export const spawnGuarded = (program: string, args: ReadonlyArray<string>, options: SpawnOptions = {}): ChildProcess => {
  const stdio: SpawnOptions["stdio"] = ["pipe", "pipe", "pipe"]
  // A group of its own: Ctrl-C in the terminal is for the parent, which ends it when everybody has finished.
  return process.platform === "win32"
    ? spawn(program, args, { ...options, stdio })
    : spawn("/bin/sh", ["-c", `exec 3<&0\n${GUARD}`, program, ...args], { ...options, stdio, detached: true })
}

/** For our own programs: leave when the parent's end of standard input closes. */
export const exitWithParent = (): void => {
  process.stdin.resume()
  process.stdin.once("end", () => process.exit(0))
  process.stdin.once("error", () => process.exit(0))
}
