/** Another engine or model than the one that a session was configured with. */

export interface Override {
  readonly engine?: string
  readonly model?: string
}

export const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Engine and model of the first replayed stage that has one. */
export const override = (config: unknown, stages: ReadonlyArray<string>, { engine, model }: Override): unknown => {
  const stage = stages.find((each) => each === "transcriber" || each === "reasoner" || each === "speaker")
  if (!isTree(config) || stage === undefined) return config
  const options = config[stage]
  return {
    ...config,
    [stage]: {
      ...(isTree(options) ? options : {}),
      ...(engine === undefined ? {} : { engine }),
      ...(model === undefined ? {} : { [stage === "speaker" ? "voice" : "model"]: model })
    }
  }
}
