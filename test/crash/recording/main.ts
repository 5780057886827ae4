/**
 * `npm run crash:recording`: records in real time while everything is killed again and again.
 *
 *   node test/crash/recording/main.ts [--seed 1] [--kills 20] [--json]
 */
import * as Effect from "effect/Effect"
import { flags, say, table, whole } from "../Flags.ts"
import { type Result, runRecordingCrash } from "./Run.ts"

const HELP = `npm run crash:recording -- [--seed N] [--kills K] [--json]

Records two sources in real time with the real program (test-kit engine for the words): a voice that is pushed as it is
spoken and never says anything twice, and a file played at its own speed. At random moments everything gets SIGKILL: the
launcher, all actors, nats-server. It is started again and nobody does anything else. In the end every recorded sample is
compared with what was said, and the bundles are verified.

  --seed N    which moments (default 1)
  --kills K   how often (default 20; about five seconds each)
  --json      print {kills, seconds, lostMs: {p50, p95, max}, lostOfFileMs, recoveryMs: {p50, p95}, bundles}

Exit code 0: no kill cost more than 250 ms of the voice or anything of the file, and both ended in a bundle. 1: not so.
`

const given = flags(HELP)
const options = { seed: whole("seed", given.seed, 1), kills: whole("kills", given.kills, 20), say }

const figures = ({ kills, seconds, lostMs, lostOfFileMs, recoveryMs, bundles }: Result) =>
  table([
    ["kills", String(kills)],
    ["recorded", `${seconds} s`],
    ["lost a kill", `p50 ${lostMs.p50} ms, p95 ${lostMs.p95} ms, max ${lostMs.max} ms`],
    ["lost of file", `${lostOfFileMs} ms`],
    ["recovery p50", `${Math.round(recoveryMs.p50)} ms`],
    ["recovery p95", `${Math.round(recoveryMs.p95)} ms`],
    ["bundles", String(bundles)]
  ])

process.exit(
  await Effect.runPromise(
    runRecordingCrash(options).pipe(
      Effect.map(({ result, faults, folder }) => {
        for (const fault of faults) say(fault)
        if (folder !== "") say(`${faults.length} faults; see ${folder}`)
        process.stdout.write(given.json ? `${JSON.stringify(result)}\n` : figures(result))
        return faults.length === 0 ? 0 : 1
      }),
      Effect.catch((failure) =>
        Effect.sync(() => {
          say(`${failure.message} [${failure.code}]`)
          return 1
        })
      )
    )
  )
)
