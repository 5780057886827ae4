/**
 * The `verbose_json` of OpenAI's transcription API, for programs that read that: segments with decoder facts, words with
 * times, seconds. Speakers have no place in it and are left out. `tokens` is empty: the log does not keep token numbers.
 */
import type { PlainExporter } from "./Exporter.ts"
import { seconds } from "./Seconds.ts"

export const verboseJson: PlainExporter = {
  format: "verbose_json",
  extension: "verbose.json",
  mediaType: "application/json",
  means: "JSON as OpenAI's transcription API answers (verbose_json)",
  render: ({ language, samples, text, segments }) =>
    `${JSON.stringify(
      {
        task: "transcribe",
        language,
        duration: seconds(samples),
        text,
        segments: segments.map((segment, id) => ({
          id,
          seek: 0,
          start: seconds(segment.start),
          end: seconds(segment.end),
          text: segment.text,
          tokens: [],
          temperature: segment.temperature,
          avg_logprob: segment.avgLogprob,
          compression_ratio: segment.compressionRatio,
          no_speech_prob: segment.noSpeechProbability
        })),
        words: segments.flatMap(({ words }) =>
          words.map(({ word, start, end }) => ({ word: word.trim(), start: seconds(start), end: seconds(end) }))
        )
      },
      null,
      2
    )}\n`
}
