/**
 * What was recorded and is not saved yet. Samples are counted per channel from the first one on, as the gateway counts
 * them; what it has saved is let go.
 */
export class Kept {
  #frames: Array<{ readonly first: number; readonly pcm: Int16Array }> = []
  #next = 0
  readonly #channels: number

  constructor(channels: number) {
    this.#channels = channels
  }

  /** Number of the sample that comes next. */
  get next(): number {
    return this.#next
  }

  #samples(pcm: Int16Array): number {
    return pcm.length / this.#channels
  }

  push(pcm: Int16Array): void {
    this.#frames.push({ first: this.#next, pcm })
    this.#next += this.#samples(pcm)
  }

  /** Everything before sample `saved` is on the log. */
  letGo(saved: number): void {
    this.#frames = this.#frames.filter(({ first, pcm }) => first + this.#samples(pcm) > saved)
  }

  /** Everything from sample `from` on. What is not here any more is taken as heard: counting goes on at `from`. */
  since(from: number): ReadonlyArray<Int16Array> {
    if (from > this.#next || (this.#frames[0]?.first ?? this.#next) > from) {
      this.#frames = []
      this.#next = from
      return []
    }
    return this.#frames.flatMap(({ first, pcm }) => {
      const skipped = Math.max(0, from - first)
      return skipped >= this.#samples(pcm) ? [] : [pcm.subarray(skipped * this.#channels)]
    })
  }
}
