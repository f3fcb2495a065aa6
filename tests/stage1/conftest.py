"""Places where a store at a URL may be (a real S3 server, and a folder), and a folder of specs."""

from __future__ import annotations

import logging
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nano import NANO


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server in this process, with a bucket `bucket`."""
    from moto.s3.responses import S3Response
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        set_up_for(f"http://{host}:{port}", patch)
        patch.setattr(S3Response, "put_object", one_at_a_time(S3Response.put_object))
        import s3fs

        s3fs.S3FileSystem().mkdir("bucket")
        yield f"http://{host}:{port}"
    server.stop()


def one_at_a_time(put: Any) -> Any:
    """S3 checks the condition of a write and writes in one step; this server does it in two."""
    lock = threading.Lock()

    def put_alone(*args: Any) -> Any:
        with lock:
            return put(*args)

    return put_alone


def set_up_for(address: str, patch: pytest.MonkeyPatch) -> None:
    """What a person would set to use another S3 server than Amazon's."""
    patch.setenv("AWS_ENDPOINT_URL", address)
    patch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-nobody-must-see")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def s3_url(s3_server: str) -> str:
    """A new place in the bucket."""
    return f"s3://bucket/{uuid.uuid4().hex}"


@pytest.fixture(params=["s3", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new place of either kind."""
    return str(request.getfixturevalue("s3_url")) if request.param == "s3" else f"file://{tmp_path}/shared"


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder with one spec."""
    (tmp_path / "specs").mkdir()
    shutil.copy(NANO, tmp_path / "specs" / "nano.yaml")
    return tmp_path / "specs"
