"""Addresses that an archive names: which schemes, where redirects may lead, how much and for how long."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_support import assert_error_lines, save_json
from gate_support import make_archive

from motion_gating.apply_quality_gate import main as gate
from motion_rep.common.allowed_schemes import HOSTS, addresses_allowed, allowed_hosts, allowed_schemes
from motion_rep.common.errors import InputError
from motion_rep.files import http_files
from motion_rep.files.locations import parse_location, resolve_from
from motion_rep.files.remote_files import is_there, local_copy

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """The address of a server on loopback, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            asked.append(self.path)
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, *_) -> None:
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{found.server_address[1]}", asked
    finally:
        found.shutdown()
        found.server_close()


def says(body: bytes, code: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture(autouse=True)
def allowed(request, monkeypatch):
    """The command line names addresses on loopback, unless a test is about archives alone."""
    if "private" not in request.node.name:
        monkeypatch.setenv(HOSTS, "127.0.0.1")


def fetched(address: str) -> bytes:
    with local_copy(parse_location(address)) as path:
        return path.read_bytes()


def refused(address: str) -> str:
    with pytest.raises(InputError) as caught:
        fetched(address)
    assert str(caught.value).startswith(address) and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_fetched():
    with server(says(b"some bytes")) as (address, asked):
        assert fetched(f"{address}/a folder/a.pt?x=1&y=%20") == b"some bytes"
        assert asked == ["/a%20folder/a.pt?x=1&y=%20"] and is_there(parse_location(f"{address}/a.pt"))


def test_a_missing_file_and_other_answers():
    with server(says(b"", 404)) as (address, _):
        assert "does not exist" in refused(f"{address}/a.pt") and not is_there(parse_location(f"{address}/a.pt"))
    with server(says(b"wait", 202)) as (address, _):
        assert "answered 202" in refused(f"{address}/a.pt")
    with server(says(b"short", **{"Content-Length": "99"})) as (address, _):
        assert "early" in refused(f"{address}/a.pt")


@pytest.mark.parametrize("code", http_files.REDIRECTS)
def test_a_redirect_to_loopback_is_not_followed(code):
    with server(says(b"secret")) as (inner, asked):
        with server(says(b"", code, Location=f"{inner}/secret")) as (address, _):
            assert "private network" in refused(f"{address}/a.pt")
            assert not is_there(parse_location(f"{address}/a.pt"))
        assert asked == []


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"]
    + ["::1", "fe80::1%1", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "192.0.0.192"]
    + ["fec0::1", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "::ffff:0:7f00:1", "5f00::1"],
)
def test_a_redirect_to_a_name_of_an_inner_host(monkeypatch, number):
    real = socket.getaddrinfo
    family = socket.AF_INET6 if ":" in number else socket.AF_INET

    def resolve(host, port, **options):
        if host != "public.example":
            return real(host, port, **options)
        return [(family, socket.SOCK_STREAM, 6, "", (number, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with server(says(b"", 302, Location="http://public.example/a")) as (address, _):
        assert f"is {number}, a host of a private network" in refused(f"{address}/a.pt")


@pytest.mark.parametrize(
    "number", ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2002:808:808::"]
)
def test_numbers_of_the_public_internet(number):
    assert http_files._is_public(number)


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://example.com/a", "http://user:word@example.com/a", "::"])
def test_a_redirect_to_something_else(place):
    with server(says(b"", 302, Location=place)) as (address, _):
        refused(f"{address}/a.pt")


class NoTls:
    """In place of TLS: a server on loopback serves https, too."""

    def wrap_socket(self, plain: socket.socket, **_) -> socket.socket:
        return plain


def test_an_encrypted_address_does_not_redirect_to_a_plain_one(monkeypatch):
    monkeypatch.setattr(http_files, "_is_public", lambda number: True)
    monkeypatch.setattr(http_files.ssl, "create_default_context", NoTls)
    with server(says(b"inner")) as (inner, asked):
        secure = inner.replace("http:", "https:")
        for target, expected in ((inner, None), (secure, b"inner")):
            with server(says(b"", 302, Location=f"{target}/b")) as (address, _):
                address = address.replace("http:", "https:")
                if expected is None:
                    assert "expected https" in refused(f"{address}/a.pt") and asked == []
                else:
                    assert fetched(f"{address}/a.pt") == expected
        with server(says(b"", 302, Location=f"{secure}/b")) as (address, _):
            assert fetched(f"{address}/a.pt") == b"inner", "a plain address may lead to an encrypted one"


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTPS_PROXY", None])
def test_a_proxy_that_is_not_used_is_named(monkeypatch, proxy):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if proxy:
        monkeypatch.setenv(proxy, "http://me:secretword@127.0.0.1:9")
    said = refused("http://127.0.0.1:1/a.pt")
    assert ("without the proxy" in said) == (proxy is not None) and "secretword" not in said


@pytest.mark.parametrize("address", ["http://[a/a.pt", "http://a:b/a.pt", "http://a:99999/a.pt", "http://:80/a.pt"])
def test_an_address_that_is_none(address):
    assert "is no http address with a host" in refused(address)


def test_redirects_without_end(monkeypatch):
    monkeypatch.setattr(http_files, "_is_public", lambda number: True)
    with server(says(b"", 302, Location="/again")) as (address, asked):
        assert "answered 302" in refused(f"{address}/a.pt")
        assert len(asked) == 1 + http_files.MOST_REDIRECTS


@pytest.mark.parametrize("told", [True, False])
def test_more_bytes_than_the_limit(monkeypatch, told):
    monkeypatch.setattr(http_files, "MOST_FILE_BYTES", 1000)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if told:
            handler.send_header("Content-Length", "2000000")
        handler.end_headers()
        for _ in range(2000):
            handler.wfile.write(bytes(1000))

    with server(answer) as (address, _):
        assert "more than 1,000 bytes" in refused(f"{address}/a.pt")


def _silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(20)


def _drips_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def _drips_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("answer", [_silent, _drips_body, _drips_headers])
def test_a_download_without_end(monkeypatch, answer):
    """Silence, and a byte from time to time: neither is waited for."""
    monkeypatch.setattr(http_files, "MOST_SECONDS", 0.5)
    with server(answer) as (address, _):
        assert "did not arrive" in refused(f"{address}/a.pt")


@pytest.mark.parametrize("scheme", ["s3", "gs", "sftp", "reference", "dir", "zip", "memory", "github"])
def test_an_archive_may_not_name_other_schemes(tmp_path, scheme):
    archive, text = tmp_path / "a.json", f"{scheme}://host/a.pt"
    with pytest.raises(InputError, match=f"--allow-scheme {scheme}"):
        resolve_from(text, archive)
    assert str(resolve_from(text, parse_location(f"{scheme}://host/a.json"))) == text
    with addresses_allowed([parse_location(f"{scheme}://other")]):
        assert str(resolve_from(text, archive)) == text
    with addresses_allowed([], [scheme.upper()]):
        assert str(resolve_from(text, archive)) == text
    assert allowed_schemes() == [""]


@pytest.mark.parametrize("text", ["reference://", "dir://", "zip://", "memory://box/a.mp4", "http://127.0.0.1:9/a.mp4"])
def test_an_entry_with_an_odd_address_costs_only_itself(tmp_path, capsys, text):
    meta = make_archive(tmp_path, (1, 2))
    entries = json.loads(meta.read_text())
    save_json(meta, [{**entries[0], "video_path": text}, entries[1]])
    verdicts = save_json(tmp_path / "v.json", [{"id": number, "matches": True} for number in (1, 2)])
    report = tmp_path / "report.json"
    arguments = ("--meta-json", meta, "--quality-report", report, "--judge", "manual", "--verdicts", verdicts)
    assert gate([str(word) for word in arguments]) in (0, 1)
    assert [record["id"] for record in json.loads(report.read_text())] == [1, 2]
    assert json.loads(Path(meta).read_text())[1]["use_ref_motion"] is True
    assert_error_lines(capsys.readouterr().err, 0)


PRIVATE = ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
PRIVATE += ["169.254.169.254", "[fe80::1]", "10.0.0.1", "0.0.0.0"]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_hosts_of_an_archive_are_not_asked(tmp_path, host):
    with server(says(b"secret")) as (address, asked):
        named = f"http://{host}:{address.rpartition(':')[2]}/a.pt"
        assert "a host of a private network" in refused(str(resolve_from(named, tmp_path / "a.json")))
        assert not is_there(parse_location(named)) and asked == []


def test_private_hosts_that_the_command_line_names_are_asked():
    with server(says(b"mine")) as (address, _):
        with addresses_allowed([parse_location(f"{address}/archive.json")]):
            assert fetched(f"{address}/a.pt") == b"mine"
        with addresses_allowed([], hosts=["127.0.0.1"]):
            assert fetched(f"{address}/a.pt") == b"mine"
            assert "private network" in refused(address.replace("127.0.0.1", "127.1") + "/a.pt")
        assert allowed_hosts() == [""]


def test_private_host_in_an_entry_needs_the_flag_of_the_command(tmp_path):
    meta = make_archive(tmp_path, (1, 2))
    entries = json.loads(meta.read_text())
    with server(says(Path(tmp_path / entries[0]["mbench_eval_path"]).read_bytes())) as (address, asked):
        save_json(meta, [{**entries[0], "mbench_eval_path": f"{address}/a_eval.pt"}, entries[1]])
        verdicts = save_json(tmp_path / "v.json", [{"id": number, "matches": True} for number in (1, 2)])
        report = tmp_path / "report.json"
        words = ["--meta-json", meta, "--quality-report", report, "--judge", "manual", "--verdicts", verdicts]
        given = [str(word) for word in words]
        gate(given)
        assert asked == [] and "private network" in report.read_text()
        gate([*given, "--allow-host", "127.0.0.1"])
        assert "/a_eval.pt" in asked and "private network" not in report.read_text()
