"""The CTranslate2 half of the `ctranslate2` engine: PCM in, words out, over stdin and stdout.

It knows nothing of the bus, decodes no audio files, opens no connection and downloads nothing. A frame is two
little-endian u32 (length of the JSON header, length of the body), the header, the body; `../engines/Frames.ts` is the
other end. Requests are answered in the order they finish. The process ends when stdin does, even in mid-decode.

What differs from faster-whisper, whose tokenizer, features and model wrapper it uses:
- The encoder gets as many frames as the caller says, not always 30 s: an utterance costs a fifth.
- Every clip of a pass is decoded as if it were alone (language, retries, word times), so a result does not depend on
  who shared the pass.
- Retries are deterministic (other windows and penalties, not sampling): the same audio gives the same words again.
"""
import ctypes
import json
import os
import struct
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor


def refuse_connections(event, arguments):
    """Nothing here needs a network, and nothing a library does on its own may use one."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise PermissionError(f"The speech engine opens no connections; {event} was refused.")


sys.addaudithook(refuse_connections)


def stub(name, **members):
    """faster-whisper imports these for files, downloads and progress bars, which are not used here."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


stub("av")
stub("huggingface_hub")
stub("tqdm", tqdm=object)
stub("tqdm.auto", tqdm=object)

import ctranslate2  # noqa: E402
import numpy as np  # noqa: E402
from faster_whisper.tokenizer import Tokenizer  # noqa: E402
from faster_whisper.transcribe import WhisperModel, get_suppressed_tokens, merge_punctuations  # noqa: E402

RATE = 16_000
FULL = 3_000  # encoder frames of the 30 s the model was trained on, 10 ms each
IMPROBABLE = -1.0  # average log probability; Whisper's own threshold for "decode again"
NOBODY = 0.75  # probability of "no speech" from which trying again is a waste
PREPEND, APPEND = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"


class BadInput(Exception):
    """The request can never succeed."""


class Model:
    """One set of weights for one-thread passes, and copies for encoders with more threads where they were asked for."""

    def __init__(self, path, passes):
        self.path = path
        self.whisper = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=1, num_workers=passes, local_files_only=True)
        self.multilingual = self.whisper.model.is_multilingual
        self.encoders = {1: self.whisper.model}
        self.lock = threading.Lock()

    def encoder(self, threads):
        with self.lock:
            if threads not in self.encoders:
                self.encoders[threads] = ctranslate2.models.Whisper(
                    self.path, device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
                )
            return self.encoders[threads]

    def features(self, pcm, frames):
        """Log-mel of the clip padded with silence: CTranslate2 takes fewer than 3000 frames, the model wrapper never does so."""
        padded = np.zeros(frames * 160, np.float32)
        audio = np.frombuffer(pcm, np.int16)[: frames * 160]
        padded[: len(audio)] = audio.astype(np.float32) / 32768
        return self.whisper.feature_extractor(padded)[:, :frames]

    def tokenizer(self, language, task):
        return Tokenizer(self.whisper.hf_tokenizer, self.multilingual, task=task, language=language)


class Clip:
    """Audio to decode: s16le samples, and where in them speech was detected (seconds)."""

    def __init__(self, pcm, speech):
        self.pcm, self.speech = pcm, speech
        self.seconds = len(pcm) / 2 / RATE

    def halves(self):
        """Two clips cut in the longest silence of the middle half; None where there is none."""
        gaps = [(b[0] - a[1], (a[1] + b[0]) / 2) for a, b in zip(self.speech, self.speech[1:])]
        gaps = [gap for gap in gaps if self.seconds / 4 < gap[1] < self.seconds * 3 / 4]
        if not gaps:
            return None
        cut = round(max(gaps)[1] * RATE) / RATE
        first = [span for span in self.speech if span[0] < cut]
        second = [[start - cut, end - cut] for start, end in self.speech if start >= cut]
        return Clip(self.pcm[: round(cut * RATE) * 2], first), Clip(self.pcm[round(cut * RATE) * 2 :], second), cut


def loops(words):
    """Words that belong to one group of 1-20 words said over and over, as the decoder does when it is stuck."""
    plain = ["".join(filter(str.isalnum, word)).lower() for word in words]
    most = 0
    for period in range(1, min(20, len(plain) // 3) + 1):
        run = 0
        for i in range(period, len(plain)):
            run = run + 1 if plain[i] == plain[i - period] else 0
            if run + period >= max(10, period * 3):
                most = max(most, run + period)
    return most


class Hypothesis:
    """What the decoder made of a clip, and whether to believe it."""

    def __init__(self, clip, language, tokens, text, avg_logprob, no_speech, words):
        self.language, self.language_probability = language
        self.tokens, self.text, self.words = tokens, text, words
        self.avg_logprob, self.no_speech = avg_logprob, no_speech
        self.looping = loops([word["word"] for word in words]) * 2 > len(words)
        self.missing = self.unheard(clip)

    def unheard(self, clip):
        """Seconds of speech with no word near it. A word aligned over more than 2 s covers only its end."""
        said = [(max(word["start"], word["end"] - 2) - 0.7, word["end"] + 0.7) for word in self.words]
        missing = 0.0
        for start, end in clip.speech:
            at = start
            for a, b in said:
                if a < end and b > at:
                    missing += max(0.0, a - at)
                    at = max(at, b)
            missing += max(0.0, end - at)
        return missing

    def faults(self, clip):
        """How many reasons to decode again there are. None where there is no speech to find."""
        if self.no_speech > NOBODY:
            return 0
        speech = sum(end - start for start, end in clip.speech)
        unheard = self.missing > max(3.0, 0.2 * speech)
        return self.looping + (self.avg_logprob < IMPROBABLE) + unheard + (self.language_probability < 0.5)


def rows(encoded, indices):
    """The encoder output of these clips; the output itself when that is all of them."""
    if len(indices) == encoded.shape[0]:
        return encoded
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.array(encoded)[indices]))


def decode(model, clips, frames, threads, options, **penalties):
    """One pass over clips with the same window. Returns a hypothesis per clip."""
    storage = ctranslate2.StorageView.from_array(np.stack([model.features(clip.pcm, frames) for clip in clips]))
    encoded = model.encoder(threads).encode(storage)
    if model.multilingual and options["language"] == "auto":
        languages = [(found[0][0][2:-2], found[0][1]) for found in model.whisper.model.detect_language(encoded)]
    else:
        languages = [(options["language"] if model.multilingual else "en", 1.0)] * len(clips)
    result = [None] * len(clips)
    for name in sorted({name for name, _ in languages}):
        indices = [i for i, language in enumerate(languages) if language[0] == name]
        part = generate(model, rows(encoded, indices), [clips[i] for i in indices], [languages[i] for i in indices], frames, options, penalties)
        for i, hypothesis in zip(indices, part):
            result[i] = hypothesis
    return result


def generate(model, encoded, clips, languages, frames, options, penalties):
    whisper = model.whisper
    tokenizer = model.tokenizer(languages[0][0], options["task"])
    prompt = whisper.get_prompt(
        tokenizer,
        tokenizer.encode(" " + options["prompt"].strip()) if options["prompt"].strip() else [],
        without_timestamps=True,
        hotwords=options["hotwords"].strip() or None,
    )
    outputs = whisper.model.generate(
        encoded,
        [prompt] * len(clips),
        beam_size=options["beamSize"],
        # Whisper's own limit for 30 s is 224 tokens: a loop ends here and not after 448.
        max_length=min(whisper.max_length, len(prompt) + 32 + 8 * frames // 100),
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        return_scores=True,
        return_no_speech_prob=True,
        **penalties,
    )
    result = []
    for i, (clip, output) in enumerate(zip(clips, outputs)):
        tokens = [token for token in output.sequences_ids[0] if token < tokenizer.eot]
        words = []
        if tokens:
            # Each clip alone: in a batch the padding of a longer neighbour moves word times by 20 ms here and there.
            length = max(2, min(frames, round(clip.seconds * 100)))
            words = whisper.find_alignment(tokenizer, [tokens], rows(encoded, [i]), [length])[0]
            merge_punctuations(words, PREPEND, APPEND)
        # CTranslate2 averages over the tokens, Whisper over the tokens and the end of text.
        avg_logprob = output.scores[0] * len(tokens) / (len(tokens) + 1)
        spoken = [word for word in words if word["word"]]
        result.append(Hypothesis(clip, languages[i], tokens, tokenizer.decode(tokens), avg_logprob, output.no_speech_prob, spoken))
    return result


def in_halves(model, clip, threads, options):
    """The clip as two, each in a window of its own: the decoder sometimes skips everything before the last sentence."""
    first, second, cut = clip.halves()
    parts = []
    for half, offset in ((first, 0.0), (second, cut)):
        found = decode(model, [half], min(FULL, round(half.seconds * 50 + 150) * 2), threads, options)[0]
        if found.avg_logprob >= IMPROBABLE and not found.looping:
            parts.append((found, [{**word, "start": word["start"] + offset, "end": word["end"] + offset} for word in found.words]))
    if not parts:
        return None
    weights = [len(found.tokens) + 1 for found, _ in parts]
    return Hypothesis(
        clip,
        max((found.language_probability, found.language) for found, _ in parts)[::-1],
        [token for found, _ in parts for token in found.tokens],
        " ".join(found.text.strip() for found, _ in parts),
        sum(found.avg_logprob * weight for (found, _), weight in zip(parts, weights)) / sum(weights),
        min(found.no_speech for found, _ in parts),
        [word for _, words in parts for word in words],
    )


def transcribe(model, clips, frames, threads, options):
    """All clips in one pass; those with faults again, each by itself, and the best of what came."""
    best = decode(model, clips, frames, threads, options)
    tries = [1] * len(clips)
    for i, clip in enumerate(clips):
        ladder = [
            frames < FULL and (lambda: decode(model, [clip], FULL, threads, options)[0]),
            best[i].missing > 3 and clip.halves() and (lambda: in_halves(model, clip, threads, options)),
            best[i].looping and (lambda: decode(model, [clip], FULL, threads, options, repetition_penalty=1.1, no_repeat_ngram_size=6)[0]),
        ]
        for rung in ladder:
            if not rung or best[i].faults(clip) == 0:
                continue
            other = rung()
            tries[i] += 1
            if other and (other.faults(clip), -other.avg_logprob) < (best[i].faults(clip), -best[i].avg_logprob):
                best[i] = other
    return best, tries


def describe(clip, hypothesis, tries):
    end = len(clip.pcm) // 2
    sample = lambda seconds: int(min(end, max(0, round(seconds * RATE))))  # noqa: E731
    return {
        "text": hypothesis.text.strip(),
        "words": [
            [sample(word["start"]), sample(word["end"]), word["word"], round(float(word["probability"]), 4)] for word in hypothesis.words
        ],
        "language": hypothesis.language,
        "languageProbability": round(float(hypothesis.language_probability), 4),
        "avgLogprob": round(float(hypothesis.avg_logprob), 4),
        "noSpeechProbability": round(float(hypothesis.no_speech), 4),
        "tries": tries,
    }


class Worker:
    def __init__(self, frames_in, frames_out):
        self.frames_in, self.frames_out = frames_in, frames_out
        self.models, self.loading, self.writing = {}, threading.Lock(), threading.Lock()
        self.jobs, self.busy, self.dirty = ThreadPoolExecutor(16), 0, False

    def send(self, header):
        raw = json.dumps(header).encode()
        with self.writing:
            self.frames_out.write(struct.pack("<II", len(raw), 0) + raw)
            self.frames_out.flush()

    def model(self, header):
        with self.loading:
            path = header["path"]
            if path not in self.models:
                self.models[path] = Model(path, header["passes"])
            return self.models[path]

    def answer(self, header, body):
        started = time.perf_counter()
        model = self.model(header)
        reply = {"id": header["id"]}
        if header["op"] == "transcribe":
            options = header["options"]
            if model.multilingual and options["language"] not in ("auto", *model.whisper.supported_languages):
                raise BadInput("The model does not know the language " + options["language"] + ".")
            clips, at = [], 0
            for part in header["clips"]:
                clips.append(Clip(body[at : at + part["bytes"]], [[start / RATE, end / RATE] for start, end in part["speech"]]))
                at += part["bytes"]
            found, tries = transcribe(model, clips, header["frames"], header["threads"], options)
            reply["clips"] = [describe(*row) for row in zip(clips, found, tries)]
        reply["computeMs"] = round((time.perf_counter() - started) * 1000, 2)
        return reply

    def run(self, header, body):
        try:
            reply = self.answer(header, body)
        except BadInput as fault:
            reply = {"id": header["id"], "error": str(fault), "input": True}
        except Exception as fault:  # the answer to a request is never silence
            reply = {"id": header["id"], "error": type(fault).__name__ + ": " + str(fault)[:300], "input": False}
        self.count(-1)
        self.send(reply)

    def count(self, change):
        with self.writing:
            self.busy += change
            self.dirty = True

    def tidy(self):
        """Give freed memory back to the system when there is nothing to do: 150-200 MB after a call."""
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        while trim:
            time.sleep(1)
            if self.dirty and self.busy == 0:
                self.dirty = False
                trim(0)

    def read(self, size):
        raw = self.frames_in.read(size)
        if len(raw) < size:
            os._exit(0)  # the parent is gone; a pass that is running has nobody to report to
        return raw

    def serve(self):
        threading.Thread(target=self.tidy, daemon=True).start()
        self.send({"ready": True, "version": ctranslate2.__version__})
        while True:
            header_size, body_size = struct.unpack("<II", self.read(8))
            header = json.loads(self.read(header_size))
            body = self.read(body_size)
            self.count(1)
            self.jobs.submit(self.run, header, body)


if __name__ == "__main__":
    # Frames go out on a private copy of stdout: whatever a library prints lands on stderr.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, out).serve()
