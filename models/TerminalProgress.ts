/**
 * Progress on standard error: a bar where a person looks at it, one line per step and tenth where a program does
 * (standard output stays free for `--json`).
 */
import cliProgress from "cli-progress"
import type { Progress } from "./Resolver.ts"

export interface ProgressReporter {
  readonly onProgress: (progress: Progress) => void
  /** Removes the bar. */
  readonly stop: () => void
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)

/** `39/98 MB`; what is counted in other things (compiled files) as it is. */
const amount = ({ received, total }: Progress): string => (total < 10_000 ? `${received}/${total}` : `${mega(received)}/${mega(total)} MB`)

const bar = (stream: NodeJS.WriteStream): ProgressReporter => {
  const view = new cliProgress.SingleBar({
    stream,
    clearOnComplete: true,
    hideCursor: true,
    format: "{model} [{bar}] {percentage}% {amount} {step}"
  })
  let active = false
  const stop = () => {
    if (active) view.stop()
    active = false
  }
  let said = ""
  return {
    stop,
    onProgress: (progress) => {
      if (progress.total === 0) {
        stop()
        const line = `${progress.model}: ${progress.step}`
        if (line !== said) stream.write(`${line}\n`)
        said = line
        return
      }
      const payload = { model: progress.model, step: progress.step, amount: amount(progress) }
      if (!active) view.start(progress.total, progress.received, payload)
      active = true
      view.setTotal(progress.total)
      view.update(progress.received, payload)
    }
  }
}

const lines = (stream: NodeJS.WriteStream): ProgressReporter => {
  let said = ""
  return {
    stop: () => undefined,
    onProgress: (progress) => {
      const tenth = progress.total === 0 ? -1 : Math.floor((10 * progress.received) / progress.total)
      const key = `${progress.model}:${tenth < 0 ? progress.step : tenth}`
      if (key === said) return
      said = key
      stream.write(`${progress.model}: ${progress.step}${tenth < 0 ? "" : ` (${amount(progress)})`}\n`)
    }
  }
}

export const terminalProgress = (stream: NodeJS.WriteStream = process.stderr): ProgressReporter =>
  stream.isTTY ? bar(stream) : lines(stream)
