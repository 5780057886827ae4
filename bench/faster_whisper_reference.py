"""faster-whisper by itself, as the thing to compare with: one JSON object a line in, one out.

Run by `bench/support/Reference.ts` in Voxbus' own Python environment, with the same weights. Reads PCM (16 kHz mono
s16le), so that no audio decoder is needed. The time is of the transcription alone: the model is loaded, the samples
are in memory. Nothing of it is changed; only imports for downloads, files and progress bars are left out.
"""
import json
import sys
import time
import types


def stub(name, **members):
    try:
        __import__(name)
    except ImportError:
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module


stub("av")
stub("huggingface_hub")
stub("tqdm", tqdm=lambda iterable, **_: iterable)

import numpy as np  # noqa: E402
from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: E402

model_path, threads = sys.argv[1], int(sys.argv[2])
model = WhisperModel(model_path, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
batched = BatchedInferencePipeline(model)


def has_vad():
    try:
        from onnxruntime import SessionOptions  # noqa: F401
    except ImportError:
        return False
    return True


def transcribe(job):
    raw = np.fromfile(job["pcm"], np.int16)[job["skip"] // 2 :]
    audio = raw.astype(np.float32) / 32768
    started = time.perf_counter()
    if job["how"] == "plain":
        segments, info = model.transcribe(audio, beam_size=job["beam"])
    else:
        clips = None if job["how"] == "batched-vad" else [{"start": start, "end": end} for start, end in job["clips"]]
        segments, info = batched.transcribe(
            audio, beam_size=job["beam"], batch_size=job["batch"], word_timestamps=True, vad_filter=clips is None, clip_timestamps=clips
        )
    # The segments come from a generator: the work is done while they are read.
    segments = list(segments)
    ms = (time.perf_counter() - started) * 1000
    words = sum(len(segment.words or []) for segment in segments)
    return {"ms": ms, "text": " ".join(segment.text.strip() for segment in segments), "words": words, "language": info.language}


print(json.dumps({"ready": True, "vad": has_vad()}), flush=True)
for line in sys.stdin:
    print(json.dumps(transcribe(json.loads(line))), flush=True)
