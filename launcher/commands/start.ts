/** `voxbus start`: everything, until Ctrl-C. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Recorder } from "../../actors/capture/index.ts"
import { GatewayAddress, gatewayLayer } from "../../gateway/index.ts"
import { startHost } from "../Host.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"
import { NAMES } from "../Registry.ts"
import { Settings } from "../../kernel/Settings.ts"

/** The gateway in the current scope; returns its address. */
export const gateway = Effect.map(
  Layer.build(gatewayLayer.pipe(Layer.provide(Recorder.layer))),
  (services) => Context.get(services, GatewayAddress).url
)

export const start = Command.make(
  "start",
  {
    // Read by the settings, which the command line is laid over; listed here for --help.
    port: Flag.Int("port").pipe(
      Flag.withAlias("p"),
      Flag.withDescription("Port of the gateway on 127.0.0.1 (default 8765; 0: any free one)"),
      Flag.optional
    ),
    offline: Flag.Boolean("offline").pipe(Flag.withDescription("Refuse every connection to another machine"), Flag.withDefault(false)),
    noUiOpen: Flag.Boolean("no-ui-open").pipe(
      Flag.withDescription("Do not open a browser (there is nothing that does yet)"),
      Flag.withDefault(false),
      Flag.withHidden
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ json }) {
    const settings = yield* Settings
    const host = yield* startHost({ kind: "start", actors: NAMES, gateway })
    for (const { actor, detail } of host.down)
      yield* note(`voxbus: ${actor} is not available: ${detail}\n  Everything else works. \`npx voxbus doctor\` says what to do.`)
    const readyMs = Math.round(performance.now())
    yield* json
      ? printJson({ ready: true, gateway: host.gatewayUrl, bus: host.busUrl, home: settings.home, readyMs, down: host.down })
      : printLine(
          `\nVoxbus is ready (${(readyMs / 1000).toFixed(1)} s).\n\n  talk to it    ${host.gatewayUrl}\n  transcribe    npx voxbus transcribe FILE\n  watch events  npx voxbus events --follow\n  calls go to   ${settings.outputFolder}\n\nCtrl-C stops it.`
        )
    yield* Effect.never.pipe(Effect.ensuring(host.drain))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Run everything and print where to go"),
  Command.withExamples([{ command: "voxbus start --port 9000", description: "On another port" }])
)
