/**
 * `npm run crash`: kills everything again and again while calls and questions are worked on, then reads the log.
 *
 *   node test/crash/main.ts [--seed 1] [--kills 100] [--server-kills S] [--json]
 */
import * as Effect from "effect/Effect"
import { SABOTAGES } from "../../kernel/CrashPoints.ts"
import { flags, say, table, whole, wrong } from "./Flags.ts"
import { type Report, runCrash } from "./Run.ts"

const HELP = `npm run crash -- [--seed N] [--kills K] [--server-kills S] [--json]

Runs the real program (every actor in a process of its own, deterministic test-kit engines) with calls and questions, and
ends parts of it with SIGKILL: each actor at every crash point (before the work, after it and before the publish, between
two publishes, before the acknowledgement) and at random moments, now and then the launcher with everything, and
nats-server. When the work that was asked for is done it reads the whole log, the dead letters and every bundle.

  --seed N           which files, which order (default 1)
  --kills K          SIGKILLs of actors and of the launcher (default 100; about one a second)
  --server-kills S   SIGKILLs of nats-server as well (default one in 25 kills)
  --json             print {kills, serverKills, events, lost, duplicated, reordered, recoveryMs: {p50, p95},
                     recoveryAloneMs: {p50, p95}}
  --sabotage WHAT    ${SABOTAGES.join(" or ")}: break the runtime on purpose; the run must then find faults

Recovery is from a kill until the log took the next event of who was killed, with what it waited for work; alone: of the
actors' kills during whose recovery neither the launcher nor the server was killed.

Exit code 0: nothing lost, doubled or out of order. 1: something was, or the program did not come back. 2: wrong flags.
What it does is told on standard error; after faults the folder with log and state is kept and named there.
`

const figures = ({ result }: Report): string => {
  const { kills, serverKills, events, lost, duplicated, reordered, recoveryMs, recoveryAloneMs } = result
  return table([
    ["kills", serverKills === 0 ? String(kills) : `${kills} + ${serverKills} of the server`],
    ["events", String(events)],
    ["lost", String(lost)],
    ["duplicated", String(duplicated)],
    ["reordered", String(reordered)],
    ["recovery p50", `${Math.round(recoveryMs.p50)} ms`],
    ["recovery p95", `${Math.round(recoveryMs.p95)} ms`],
    ["alone p50", `${Math.round(recoveryAloneMs.p50)} ms`],
    ["alone p95", `${Math.round(recoveryAloneMs.p95)} ms`]
  ])
}

const given = flags(HELP)
const sabotage = SABOTAGES.find((each) => each === given.sabotage)
if (given.sabotage !== undefined && sabotage === undefined) wrong(`--sabotage wants ${SABOTAGES.join(" or ")}.`)
const kills = whole("kills", given.kills, 100)
const options = {
  seed: whole("seed", given.seed, 1),
  kills,
  serverKills: whole("server-kills", given["server-kills"], Math.floor(kills / 25)),
  say,
  ...(sabotage === undefined ? {} : { sabotage })
}

const exit = await Effect.runPromise(
  runCrash(options).pipe(
    Effect.map((report) => {
      for (const { kind, session, what } of report.faults.slice(0, 40)) say(`${kind} ${session} ${what}`)
      if (report.folder !== "") say(`${report.faults.length} faults; see ${report.folder}`)
      say(`${report.sessions} sessions, ${Math.round(report.seconds)} s, seed ${options.seed}`)
      process.stdout.write(given.json ? `${JSON.stringify(report.result)}\n` : figures(report))
      const { lost, duplicated, reordered } = report.result
      return lost + duplicated + reordered === 0 ? 0 : 1
    }),
    Effect.catch((failure) =>
      Effect.sync(() => {
        say(`${failure.message} [${failure.code}]`)
        return 1
      })
    )
  )
)
process.exit(exit)
