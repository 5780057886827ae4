/**
 * A thousand turns and three hundred interruptions: no leak, nothing stuck, no audio of an answer that is over.
 *
 *   node bench/soak.ts [--turns 1000] [--barge-ins 300] [--seed 1] [--json]
 */
import * as Effect from "effect/Effect"
import { bench } from "./support/Bench.ts"
import { startInstance } from "./support/Instance.ts"
import { memoryOf, treeOf } from "../kernel/ProcessMemory.ts"
import { runSoak } from "./support/Soak.ts"
import { round, slope } from "./support/Stats.ts"

const METHOD = `The real program (nats-server, every actor, the gateway) with deterministic test-kit engines, so that a turn costs
milliseconds. A client speaks hands-free, in conversations of a hundred turns: it hears answers out, speaks into them and into
the thinking, makes noises, says stop; the seed decides. Audio of an answer that was declared over is counted as stale, a
turn that does not end within a minute as stuck. Memory is the PSS of each process, sampled every 25 turns; the slope is a
straight line through the samples after the first fifth. Conversations are kept in the memory of nats-server for an hour by
design, so its growth is printed apart and is no leak.`

const EVERY = 25
const WARM = 0.2

interface Sample {
  readonly turns: number
  readonly megabytes: ReadonlyMap<string, number>
}

/** MB more for every thousand turns, by process. */
const slopes = (samples: ReadonlyArray<Sample>) => {
  const last = samples.at(-1)
  const from = WARM * (last?.turns ?? 0)
  const counted = samples.filter(({ turns }) => turns >= from)
  return Object.fromEntries(
    [...(last?.megabytes.keys() ?? [])].map((name) => [
      name,
      round(1_000 * slope(counted.map(({ turns, megabytes }) => [turns, megabytes.get(name) ?? 0] as const)))
    ])
  )
}

bench({
  name: "soak",
  method: METHOD,
  options: {
    turns: { default: 1000, means: "turns" },
    "barge-ins": { default: 300, means: "of them, turns that interrupt an answer" },
    seed: { default: 1, means: "which words, which moments" }
  },
  run: Effect.fnUntraced(function* ({ turns, "barge-ins": bargeIns, seed }, say) {
    const instance = yield* startInstance({
      env: { VOXBUS_TRANSCRIBER_ENGINE: "testkit", VOXBUS_REASONER_ENGINE: "testkit", VOXBUS_SPEAKER_ENGINE: "testkit" }
    })
    const samples: Array<Sample> = []
    const sample = (done: number) =>
      Effect.sync(() => {
        if (done < (samples.at(-1)?.turns ?? -EVERY) + EVERY) return
        const megabytes = new Map<string, number>()
        for (const { name, pss } of memoryOf(treeOf(instance.pid))) megabytes.set(name, (megabytes.get(name) ?? 0) + pss)
        samples.push({ turns: done, megabytes })
        say(`  ${done} turns: ${[...megabytes].map(([name, value]) => `${name} ${Math.round(value)}`).join(", ")} MB`)
      })
    yield* sample(0)
    const begun = performance.now()
    const soaked = yield* runSoak({ gateway: instance.gateway, home: instance.home, turns, bargeIns, seed, onTurn: sample })
    const seconds = round((performance.now() - begun) / 1000)
    const { "nats-server": kept = 0, ...ours } = slopes(samples)
    const megabytesPerThousandTurns = { ours: round(Object.values(ours).reduce((total, each) => total + each, 0)), byProcess: ours, kept }
    say(
      `\n  ${soaked.turns} turns, ${soaked.bargeIns} interruptions, ${soaked.resumed} answers went on after a noise, ${soaked.stopped} stopped, ${soaked.wordless} without words; ${seconds} s`
    )
    say(
      `  stale audio ${soaked.stale}, stuck ${soaked.stuck}, errors ${soaked.errors}; answers are held after ${soaked.holdMs.p50} ms (95 %: ${soaked.holdMs.p95} ms)`
    )
    say(
      `  memory per thousand turns: ${megabytesPerThousandTurns.ours} MB, and ${kept} MB of conversations that nats-server keeps for an hour`
    )
    yield* Effect.sync(() => {
      if (soaked.stale + soaked.stuck + soaked.errors > 0) process.exitCode = 1
    })
    return { ...soaked, seconds, megabytesPerThousandTurns }
  })
})
