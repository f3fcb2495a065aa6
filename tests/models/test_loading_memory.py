"""What loading a model costs beside the model itself."""

import json
import os
import subprocess
import sys

import pytest
import tiny_models
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

MEASURE = """
import ctypes, gc, json, sys, threading
import torch
from models.loading import load_base

def resident():  # anonymous memory: mapped pages of the files are the page cache's, which the kernel takes back at will
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("RssAnon"))

def load(form):
    peak, done = [0], threading.Event()
    def watch():
        while not done.wait(0.002):
            peak[0] = max(peak[0], resident())
    before, watcher = resident(), threading.Thread(target=watch)
    watcher.start()
    base = load_base({"base": sys.argv[1], **form}, "cpu")
    done.set(), watcher.join()
    tensors = {id(t): t for t in [*base.model.parameters(), *base.model.buffers()]}.values()
    return peak[0] - before, sum(t.numel() * t.element_size() for t in tensors)

forms = json.loads(sys.argv[2])
load(forms[-1])  # what libraries allocate at first use is no part of a model
found = []
for form in forms:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # free blocks of an earlier load would hide what this one takes
    found.append(load(form))
print(json.dumps(found))
"""
FORMS = [{"dtype": "bfloat16"}, {"dtype": "float32"}]


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_loading_takes_at_most_1_3_times_the_model(tmp_path):
    """Memory while loading stays below 1.3 times the loaded weights, converted or not: no weight is there twice."""
    config = Qwen2Config(
        vocab_size=1000, hidden_size=896, intermediate_size=4864, num_hidden_layers=2, num_attention_heads=14,
        num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(tmp_path)
    tiny_models.make_tokenizer().save_pretrained(tmp_path)

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path, json.dumps(FORMS)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1"},
    )

    for form, (peak, size) in zip(FORMS, json.loads(done.stdout), strict=True):
        assert peak <= 1.3 * size, f"{form}: {peak / 1e6:.0f} MB for {size / 1e6:.0f} MB"
