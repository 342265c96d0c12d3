"""A file from a server that may be slow, broken or lying: bounded in time, tries and bytes."""

import logging
import time
from typing import Any

import requests
import urllib3
from tqdm import tqdm

from lstm_ae.core.errors import InputError

log = logging.getLogger(__name__)

CONNECT_SECONDS, SILENCE_SECONDS, WHOLE_SECONDS = 5, 30, 600
TRIES, PAUSE_SECONDS = 3, 1
CHUNK = 2**16


def download(url: str, size: int) -> bytes:
    """Get the file at a URL.

    A connection that breaks, a silence and a status of 500 or more are tried again. Another status,
    too many bytes and too long a time are not.

    Parameters
    ----------
    size
        Of the file, in bytes; more are not accepted.

    Raises
    ------
    InputError
        The server has no such file, sends more than it, is not done after `WHOLE_SECONDS`, or fails
        at every try.
    """
    deadline = time.monotonic() + WHOLE_SECONDS
    for number in range(TRIES):
        time.sleep(number * PAUSE_SECONDS)
        try:
            return _body(url, size, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = _innermost(error)
            log.info("%s: %s", url, reason)
    raise InputError(f"{url}: {reason}, {TRIES} times")


def _body(url: str, size: int, deadline: float) -> bytes:
    """What one request brings, byte by byte as the file has them."""
    body = bytearray()
    with (
        requests.get(
            url,
            headers={"Accept-Encoding": "identity"},
            hooks={"response": _leave_redirect_unread},
            stream=True,
            timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
        ) as response,
        tqdm(
            total=size,
            unit="B",
            unit_scale=True,
            disable=None,
        ) as progress,
    ):
        if response.status_code >= 500:
            raise requests.HTTPError(f"status {response.status_code}")
        if response.status_code != 200:
            raise InputError(f"{url}: status {response.status_code}")
        # read1 gives what has come, without waiting for a full chunk
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            body += chunk
            progress.update(len(chunk))
            if len(body) > size:
                raise InputError(f"{url}: more than the {size} bytes of the file")
            if time.monotonic() > deadline:
                raise InputError(f"{url}: {len(body)} of {size} bytes after {WHOLE_SECONDS} s")
    return bytes(body)


def _leave_redirect_unread(response: requests.Response, **_: Any) -> None:
    """Close a redirect, whose body requests would read to its end, though it may have none."""
    if response.is_redirect:
        response.close()


def _innermost(error: BaseException) -> str:
    """The reason at the bottom of a chain of errors: the one that a person knows."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return repr(error)
