/**
 * The one table of error codes.
 *
 * Every failure that leaves the program (an `error.raised` event, an HTTP answer, the exit of a command) carries one
 * of these codes. `recoverable` says whether trying the same thing again can help without a person changing something.
 */
import * as Schema from "effect/Schema"

export interface ErrorInfo {
  readonly recoverable: boolean
  /** Exit code of a command that fails with this error (2: usage, 3: input, 4: set-up, 5: the system, 6: network). */
  readonly exit: number
  /** One sentence: what it means. */
  readonly means: string
  /** One sentence: what a person does next. */
  readonly fix: string
}

const entry = (recoverable: boolean, exit: number, means: string, fix: string): ErrorInfo => ({ recoverable, exit, means, fix })

export const ERRORS = {
  "audio.empty": entry(false, 3, "The audio holds no samples.", "Check that the recording worked and that the file is not empty."),
  "audio.unreadable": entry(
    false,
    3,
    "The file is not audio that can be decoded.",
    "Convert it with any audio tool, or check that it is the file you meant."
  ),
  "audio.too_large": entry(false, 3, "The audio is larger than the limit.", "Split it, or raise the limit in the configuration."),
  "blob.missing": entry(
    true,
    5,
    "Audio that an event refers to is not in the store.",
    "The session may have been deleted; import the file again."
  ),
  "blob.corrupt": entry(false, 5, "Stored audio does not match its SHA-256.", "The store is damaged; import the file again."),
  "bundle.unwritable": entry(true, 5, "The output folder cannot be written.", "Free space or change the folder's permissions, then retry."),
  "bundle.invalid": entry(false, 1, "The bundle has been changed or cut.", "Ask for a fresh copy from where it was made."),
  "bus.unavailable": entry(true, 5, "The event bus cannot be reached.", "Start it with `voxbus start`, or check NATS_URL."),
  "bus.rejected": entry(true, 5, "The event bus refused an event.", "See the server's reason in the details."),
  "command.usage": entry(false, 2, "The command was called wrongly.", "See --help."),
  "config.invalid": entry(false, 2, "A setting is not valid.", "Correct the setting named in the message."),
  "disk.full": entry(true, 5, "There is not enough free space.", "Free space on the disk named in the message, then retry."),
  "engine.failed": entry(true, 5, "An engine failed on this input.", "It is tried again; see `voxbus doctor` if it goes on."),
  "engine.timeout": entry(true, 5, "An engine took too long.", "It is tried again; use a smaller model if it goes on."),
  "engine.unavailable": entry(true, 4, "No engine for this work can run here.", "Run `voxbus doctor` and do what it says."),
  "event.invalid": entry(false, 5, "An event does not match its schema.", "Update the program that publishes it."),
  "input.invalid": entry(false, 3, "The input is not valid.", "Correct what the message names."),
  "input.missing": entry(false, 3, "The file or folder does not exist.", "Check the path."),
  "instance.port_taken": entry(false, 4, "The port is used by another program.", "Stop that program, or choose another with --port."),
  "instance.running": entry(false, 4, "Voxbus is already running on this VOXBUS_HOME.", "Use it, stop it, or set another VOXBUS_HOME."),
  "instance.failed": entry(true, 5, "A part of Voxbus stopped and did not come back.", "See the log, then `voxbus doctor`."),
  "model.checksum": entry(
    true,
    4,
    "A downloaded file does not match its pinned SHA-256.",
    "Delete it and fetch again; if it persists the source has changed it."
  ),
  "model.missing": entry(false, 4, "A model is not on this machine.", "Run `voxbus models fetch NAME`."),
  "model.sources": entry(
    true,
    4,
    "No source of a model or tool could be reached.",
    "Check the network or proxy, or import it from a local file."
  ),
  "model.unsupported": entry(
    false,
    3,
    "The folder does not hold a model this version can use.",
    "Use a faster-whisper (CTranslate2) model folder."
  ),
  "network.offline": entry(false, 6, "Offline mode refused a connection to another machine.", "Remove --offline, or use a local engine."),
  "provider.auth": entry(false, 6, "The provider refused the key.", "Check the key in the configuration."),
  "provider.rejected": entry(false, 6, "The provider refused the request.", "See the provider's answer in the message."),
  "provider.unavailable": entry(
    true,
    6,
    "The provider cannot be reached or answers with an error.",
    "It is tried again; check the address and the network."
  ),
  "session.unknown": entry(false, 3, "There is no such session.", "List sessions, or check the id."),
  "setup.compiler": entry(
    false,
    4,
    "A C++ compiler is needed and none was found.",
    "Install one (Debian: build-essential; macOS: xcode-select --install), or Python 3 with pip."
  ),
  "setup.dependencies": entry(
    true,
    4,
    "The dependencies could not be installed.",
    "Check the network or proxy settings of npm, then run it again."
  ),
  "setup.python": entry(
    true,
    4,
    "The speech engine's Python packages could not be installed.",
    "Check pip and the network, or install a C++ compiler for the other engine."
  ),
  "turn.stalled": entry(true, 5, "A turn made no progress for too long.", "Try again; see `voxbus doctor` if it goes on."),
  internal: entry(true, 5, "A fault in Voxbus.", "Please report it with the log.")
} as const satisfies Record<string, ErrorInfo>

export type ErrorCode = keyof typeof ERRORS

export const ErrorCode = Schema.Literals(Object.keys(ERRORS) as ReadonlyArray<ErrorCode> as [ErrorCode, ...Array<ErrorCode>])

/** What `code` means and what to do, as one line for a person. */
export const explain = (code: ErrorCode): string => `${ERRORS[code].means} ${ERRORS[code].fix}`
