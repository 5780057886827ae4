/** `voxbus start`: everything, until Ctrl-C. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Recorder } from "../../actors/capture/index.ts"
import { GatewayAddress, gatewayLayer } from "../../gateway/index.ts"
import { startHost } from "../Host.ts"
import { mcpRoute } from "../mcp/Route.ts"
import { hasDesktop, oneTimeLink, openPage } from "../OpenPage.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"
import { NAMES } from "../Registry.ts"
import { Settings } from "../../kernel/Settings.ts"

/** The gateway in the current scope; returns where it is. */
export const gateway = Effect.map(Layer.build(gatewayLayer(mcpRoute).pipe(Layer.provide(Recorder.layer))), (services) =>
  Context.get(services, GatewayAddress)
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
    wyoming: Flag.Int("wyoming").pipe(
      Flag.withDescription("Port of a Wyoming server on 127.0.0.1, for Home Assistant (usual: 10300; off by default)"),
      Flag.optional
    ),
    offline: Flag.Boolean("offline").pipe(Flag.withDescription("Refuse every connection to another machine"), Flag.withDefault(false)),
    noUiOpen: Flag.Boolean("no-ui-open").pipe(Flag.withDescription("Do not open the page in a browser"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ json, noUiOpen }) {
    const settings = yield* Settings
    const host = yield* startHost({ kind: "start", actors: NAMES, gateway })
    for (const { actor, detail } of host.down)
      yield* note(`voxbus: ${actor} is not available: ${detail}\n  Everything else works. \`npx voxbus doctor\` says what to do.`)
    const readyMs = Math.round(performance.now())
    const door = yield* oneTimeLink(settings.home, host.gatewayUrl)
    yield* json
      ? printJson({ ready: true, gateway: host.gatewayUrl, link: door, bus: host.busUrl, home: settings.home, readyMs, down: host.down })
      : printLine(
          `\nVoxbus is ready (${(readyMs / 1000).toFixed(1)} s).\n\n  talk to it    ${door}\n                (once; \`npx voxbus open\` makes a new link)\n  transcribe    npx voxbus transcribe FILE\n  watch events  npx voxbus events --follow\n  calls go to   ${settings.outputFolder}\n\nCtrl-C stops it.`
        )
    if (!json && !noUiOpen && hasDesktop()) yield* openPage(door)
    yield* Effect.never.pipe(Effect.ensuring(host.drain))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Run everything and print where to go"),
  Command.withExamples([{ command: "voxbus start --port 9000", description: "On another port" }])
)
