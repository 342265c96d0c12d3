import errno
import gzip

import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data import download as module
from lstm_ae.data.download import download
from tests.servers import closed_port, dripping, resetting, serving, stalling, unending, whole

pytestmark = pytest.mark.timeout(60)  # a wait without an end fails

CONTENT = b"the original bytes"
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(module, "WHOLE_SECONDS", 0.5)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize(
    "answers",
    [
        [whole(CONTENT)],
        [HEAD + b"\r\n" + CONTENT],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nthe o\r\nd\r\nriginal bytes\r\n0\r\n\r\n"],
        [whole(b"", "500 Internal Server Error")] * 2 + [whole(CONTENT)],
        [b"", b"", whole(CONTENT)],
        [resetting, whole(CONTENT)],
        [stalling(b""), whole(CONTENT)],
        [whole(CONTENT)[:-5], whole(CONTENT)],
    ],
    ids=[
        "sound",
        "without a length",
        "in chunks",
        "500 twice",
        "closed twice",
        "reset",
        "silent once",
        "truncated once",
    ],
)
def test_a_server_that_works_in_the_end_gives_the_file(answers) -> None:
    with serving(*answers) as (url, asked):
        assert download(f"{url}/file", len(CONTENT)) == CONTENT
    assert len(asked) == len(answers)
    assert all(
        b"\r\nAccept-Encoding: identity\r\n" in request for request in asked
    )  # the file's own bytes, which are counted


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (whole(CONTENT)[:-5], "IncompleteRead(13 bytes read, 5 more expected)"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n12\r\nthe ori", "IncompleteRead(0 bytes read)"),
        (stalling(b""), "TimeoutError('timed out')"),
        (stalling(whole(CONTENT)[:-5]), "TimeoutError('timed out')"),
        (b"", "RemoteDisconnected('Remote end closed connection without response')"),
        (resetting, f"ConnectionResetError({errno.ECONNRESET}, 'Connection reset by peer')"),
        (whole(b"", "503 Service Unavailable"), "HTTPError('status 503')"),
        (b"\x1b[2Jno HTTP\n\r\n", r"BadStatusLine('\x1b[2Jno HTTP\n')"),
        (
            unending("HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 1000),
            "HTTPException('got more than 100 headers')",
        ),
        (whole(b"", "302 Found", "Location: /again"), "TooManyRedirects('Exceeded 30 redirects.')"),
    ],
    ids=[
        "truncated",
        "truncated in chunks",
        "silent",
        "stalled",
        "closed",
        "reset",
        "503",
        "no HTTP",
        "endless headers",
        "turning in a circle",
    ],
)
def test_a_server_that_stays_broken_is_asked_three_times_and_named_with_the_reason(
    answer, message: str
) -> None:
    with serving(answer) as (url, _), pytest.raises(InputError) as error:
        download(f"{url}/file", len(CONTENT))
    assert str(error.value) == f"{url}/file: {message}, 3 times"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (whole(b"", "404 Not Found"), "status 404"),
        (unending("HTTP/1.1 404 Not Found\r\n\r\n"), "status 404"),
        (whole(CONTENT, "206 Partial Content"), "status 206"),
        (whole(CONTENT + b"!"), "more than the 18 bytes of the file"),
        (unending("HTTP/1.1 200 OK\r\n\r\n"), "more than the 18 bytes of the file"),
        (
            unending(
                "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n"
                "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"
            ),
            "more than the 18 bytes of the file",
        ),
        (
            whole(gzip.compress(bytes(10**6), mtime=0), "200 OK", "Content-Encoding: gzip"),
            "more than the 18 bytes of the file",
        ),
    ],
    ids=[
        "404",
        "404 that never ends",
        "206",
        "a byte too many",
        "endless",
        "endless in chunks",
        "compressed although it must not be",
    ],
)
def test_a_server_that_refuses_or_lies_is_asked_once(answer, message: str) -> None:
    with serving(answer) as (url, asked), pytest.raises(InputError) as error:
        download(f"{url}/file", len(CONTENT))
    assert str(error.value) == f"{url}/file: {message}"
    assert len(asked) == 1


def test_a_server_that_drips_is_left_in_the_end() -> None:
    with (
        serving(dripping(HEAD + b"\r\n")) as (url, asked),
        pytest.raises(InputError, match=r"/file: \d+ of 1000000 bytes after 0\.5 s$"),
    ):
        download(f"{url}/file", 10**6)
    assert len(asked) == 1


def test_where_nobody_listens_the_reason_is_told() -> None:
    url = f"http://127.0.0.1:{closed_port()}/file"
    with pytest.raises(InputError) as error:
        download(url, len(CONTENT))
    assert (
        str(error.value)
        == f"{url}: ConnectionRefusedError({errno.ECONNREFUSED}, 'Connection refused'), 3 times"
    )


def test_a_redirect_is_followed_and_its_body_left_unread() -> None:
    with serving(unending("HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n"), whole(CONTENT)) as (
        url,
        asked,
    ):
        assert download(f"{url}/file", len(CONTENT)) == CONTENT
    assert asked[1].startswith(b"GET /there ")
