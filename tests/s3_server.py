"""A server that speaks S3, as a process of its own: moto's, in `.venv-s3`."""

import contextlib
import http.client
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

MOTO = Path(".venv-s3/bin/moto_server").absolute()
BUCKET = "studies"


@contextlib.contextmanager
def s3_server(port: int) -> Iterator[dict[str, str]]:
    """Run the server with one empty bucket; yield the environment that leads to it."""
    argv = [str(MOTO), "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _make_bucket(port)
            yield {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_REGION": "us-east-1",
            }
        finally:
            server.terminate()


def _make_bucket(port: int) -> None:
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("PUT", f"/{BUCKET}")
            assert connection.getresponse().status == 200
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError(f"{MOTO} does not answer on port {port}")
