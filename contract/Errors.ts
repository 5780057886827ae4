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
  "access.denied": entry(
    false,
    6,
    "The request carries no valid token.",
    "Send `Authorization: Bearer TOKEN` (`npx voxbus token` prints it), or open the page with `npx voxbus open`."
  ),
  "access.forbidden": entry(
    false,
    6,
    "The token does not give the right to do this.",
    "Use a token with the scope that the message names."
  ),
  "address.private": entry(
    false,
    3,
    "The address is not one of the public internet.",
    "Name another, or allow it with --allow-private if that is meant."
  ),
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
  "bus.denied": entry(
    false,
    4,
    "The event bus does not accept these credentials.",
    "Issue new ones with `voxbus creds issue`, or correct the user, password, credentials file or certificate."
  ),
  "bus.rejected": entry(true, 5, "The event bus refused an event.", "See the server's reason in the details."),
  "call.unknown": entry(false, 3, "There is no such call now.", "See `voxbus calls`."),
  "command.usage": entry(false, 2, "The command was called wrongly.", "See --help."),
  "config.invalid": entry(false, 2, "A setting is not valid.", "Correct the setting named in the message."),
  "device.blocked": entry(
    false,
    3,
    "The device guard does not allow this device.",
    "Add it to `recording.allow` in config.json, or run `voxbus devices --allow ID`."
  ),
  "device.missing": entry(true, 3, "There is no such recording device.", "See `voxbus devices`; plug it in, or choose another."),
  "device.failed": entry(true, 5, "The recording device stopped delivering.", "Check its connection; recording goes on when it is back."),
  "device.unavailable": entry(
    false,
    4,
    "Nothing on this machine can record from devices.",
    "Install PulseAudio's or PipeWire's tools (parec, pactl), or ffmpeg."
  ),
  "recording.state": entry(false, 3, "The recording is not in a state where this can be done.", "See `voxbus record --status`."),
  "disk.full": entry(true, 5, "There is not enough free space.", "Free space on the disk named in the message, then retry."),
  "edit.conflict": entry(
    true,
    3,
    "The transcript was changed by somebody else in the meantime.",
    "Look at it again (`voxbus edit SESSION`), then repeat the edit."
  ),
  "engine.failed": entry(true, 5, "An engine failed on this input.", "It is tried again; see `voxbus doctor` if it goes on."),
  "engine.timeout": entry(true, 5, "An engine took too long.", "It is tried again; use a smaller model if it goes on."),
  "engine.unavailable": entry(true, 4, "No engine for this work can run here.", "Run `voxbus doctor` and do what it says."),
  "event.invalid": entry(false, 5, "An event does not match its schema.", "Update the program that publishes it."),
  "export.failed": entry(false, 5, "An exporter could not write this transcript.", "See the reason in the message; try another format."),
  "export.unknown": entry(false, 2, "There is no such export format.", "Choose one of those listed by `voxbus export --formats`."),
  "file.exists": entry(false, 3, "A file of that name is there already.", "Choose another name with -o, or overwrite it with --force."),
  "index.failed": entry(true, 5, "The search index cannot be used.", "Run `voxbus index rebuild`; the log is not affected."),
  "event.missing": entry(false, 3, "The event is not on the log any more.", "Nothing can be tried again; drop the dead letter."),
  "input.invalid": entry(false, 3, "The input is not valid.", "Correct what the message names."),
  "input.missing": entry(false, 3, "The file or folder does not exist.", "Check the path."),
  "instance.port_taken": entry(false, 4, "The port is used by another program.", "Stop that program, or choose another with --port."),
  "instance.running": entry(false, 4, "Voxbus is already running on this VOXBUS_HOME.", "Use it, stop it, or set another VOXBUS_HOME."),
  "instance.failed": entry(true, 5, "A part of Voxbus stopped and did not come back.", "See the log, then `voxbus doctor`."),
  "letter.unknown": entry(false, 3, "There is no such dead letter.", "List them with `voxbus dlq list --all`."),
  "model.checksum": entry(
    true,
    4,
    "A downloaded file does not match its pinned SHA-256.",
    "Delete it and fetch again; if it persists the source has changed it."
  ),
  "job.finished": entry(false, 3, "The job has ended already.", "Retry it instead, or list the jobs."),
  "job.unknown": entry(false, 3, "There is no such job.", "List the jobs, or check the id."),
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
  "key.insecure": entry(false, 6, "A key would have travelled unencrypted.", "Use an https address; plain http is for this machine only."),
  "key.missing": entry(false, 4, "A provider needs a key and none is set.", "Run `voxbus keys set NAME`."),
  "key.unreadable": entry(false, 4, "A stored key cannot be read.", "Remove it with `voxbus keys remove NAME` and set it again."),
  "provider.auth": entry(false, 6, "The provider refused the key.", "Set a valid one with `voxbus keys set NAME`."),
  "provider.model": entry(
    false,
    6,
    "The provider does not know the model.",
    "Choose another model, or correct its name in the configuration."
  ),
  "provider.quota": entry(false, 6, "The provider's quota is used up.", "Raise the quota at the provider, or wait for the next period."),
  "provider.rate_limited": entry(true, 6, "Too many requests to the provider.", "Wait a moment; it is tried again."),
  "provider.unreachable": entry(
    true,
    6,
    "The provider's machine cannot be reached.",
    "Check the internet connection, the address, and that the provider runs."
  ),
  "provider.timeout": entry(true, 6, "The provider took too long.", "Try again; see its status page if it goes on."),
  "provider.rejected": entry(false, 6, "The provider refused the request.", "See the provider's answer in the message."),
  "provider.unavailable": entry(
    true,
    6,
    "The provider cannot be reached or answers with an error.",
    "It is tried again; check the address and the network."
  ),
  "session.busy": entry(false, 3, "Work on this session is going on.", "Wait until it is finished, or repeat it with --force."),
  "request.limited": entry(true, 6, "Too many requests in a short time.", "Wait for as long as Retry-After says, then try again."),
  "request.too_large": entry(false, 3, "The request is larger than the limit.", "Send less at once; the limit is in the message."),
  "route.unknown": entry(false, 2, "There is no such address.", "See /docs/api for those there are."),
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
  "speech.unavailable": entry(
    true,
    6,
    "No voice could speak the answer; it is shown as text.",
    "See `voxbus doctor` for the voices; the next answer tries them again."
  ),
  "transcript.missing": entry(
    false,
    3,
    "This session has no transcript yet.",
    "Wait until the call is transcribed; see `voxbus sessions`."
  ),
  "turn.stalled": entry(true, 5, "A turn made no progress for too long.", "Try again; see `voxbus doctor` if it goes on."),
  "webhook.failed": entry(
    true,
    6,
    "The receiver of a webhook did not take an event.",
    "It is tried again; see `voxbus webhooks list`, and `voxbus dlq retry` for what was given up."
  ),
  internal: entry(true, 5, "A fault in Voxbus.", "Please report it with the log.")
} as const satisfies Record<string, ErrorInfo>

export type ErrorCode = keyof typeof ERRORS

export const ErrorCode = Schema.Literals(Object.keys(ERRORS) as ReadonlyArray<ErrorCode> as [ErrorCode, ...Array<ErrorCode>])

/** What `code` means and what to do, as one line for a person. */
export const explain = (code: ErrorCode): string => `${ERRORS[code].means} ${ERRORS[code].fix}`
