"""Libraries are told what suits this work, unless the user has told them otherwise."""

import os
import subprocess
import sys

import pytest

from stage1.libraries import tell_libraries


def test_memory_of_a_gpu_grows_in_one_piece():
    """Micro-batches differ in length: blocks of one would not fit the next, and a GPU that is nearly full would run out."""
    environment = {}

    tell_libraries(environment)

    assert environment["PYTORCH_ALLOC_CONF"] == "expandable_segments:True"


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"])
def test_what_the_user_has_said_about_memory_stays(name):
    """Under the older of the two names, too: the newer one would overrule it."""
    environment = {name: "max_split_size_mb:128"}

    tell_libraries(environment)

    assert {key: value for key, value in environment.items() if key.startswith("PYTORCH")} == {name: "max_split_size_mb:128"}


def test_what_the_user_has_said_about_threads_stays():
    """A machine of one's own may spin."""
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}

    tell_libraries(environment)

    assert environment["OMP_WAIT_POLICY"] == "ACTIVE"


def test_this_process_is_told():
    """The process's own environment, as the command line and the workers use it."""
    code = (
        "import os; from stage1.libraries import tell_libraries; tell_libraries(); print(os.environ['TOKENIZERS_PARALLELISM'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert told.stdout == "false\n"
