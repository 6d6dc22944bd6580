"""nginx, a master and two workers: files as they are and out of its cache, with a header from a large map."""

from __future__ import annotations

import os
import random
import signal

from measure import Failed
from servers import MIB, Line, Server, a_user, bytes_of, need

_CONFIGURATION = """
daemon off;
worker_processes 2;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600;
    sendfile on;
    open_file_cache max=4000 inactive=30s;
    default_type application/octet-stream;
    client_body_temp_path tmp-body;
    fastcgi_temp_path tmp-fastcgi;
    uwsgi_temp_path tmp-uwsgi;
    scgi_temp_path tmp-scgi;
    proxy_temp_path tmp-proxy;
    proxy_cache_path cache keys_zone=front:16m max_size=512m inactive=60s use_temp_path=off;
    map_hash_bucket_size 128;
    map_hash_max_size 400000;
    map $arg_id $target {{ include targets; }}
    server {{
        listen unix:{files_socket};
        root site;
        add_header X-Target $target;
    }}
    server {{
        listen unix:{cache_socket};
        location / {{
            proxy_pass http://unix:{files_socket};
            proxy_cache front;
            proxy_cache_key $uri;
            proxy_cache_valid 200 10s;
            proxy_hide_header X-Target;
            add_header X-Target $target;
        }}
    }}
}}
"""


def size_of(number: int) -> int:
    return 500 + number * 7919 % 31_000


def target_of(number: int) -> str:
    return f"/moved/{number}/{number * 7919 % 20011}"


class Traffic:
    def __init__(self, sockets: tuple, files: int, targets: int):
        self.sockets = sockets
        self.files = files
        self.targets = targets
        self.written = 0
        self.read = 0
        self._random = random.Random(1)
        self._lines = []

    def connect(self) -> None:
        self._lines = [Line(path) for path in self.sockets]

    def disconnect(self) -> None:
        for line in self._lines:
            line.close()
        self._lines = []

    def request(self) -> tuple:
        return self._random.randrange(2), self._random.randrange(self.files), self._random.randrange(self.targets)

    def ask(self, request: tuple) -> tuple:
        where, file, target = request
        line = self._lines[where]
        line.send(b"GET /file%d?id=k%d HTTP/1.1\r\nHost: load\r\n\r\n" % (file, target))
        status = line.line()
        headers = {}
        while (header := line.line()) not in (b"\r\n", b""):
            name, _, said = header.partition(b":")
            headers[name.lower()] = said.strip()
        return status, headers, line.read(int(headers.get(b"content-length", b"0")))

    def check(self, request: tuple, answer: tuple) -> None:
        _, file, target = request
        status, headers, body = answer
        if not status.startswith(b"HTTP/1.1 200 ") or headers.get(b"x-target") != target_of(target).encode():
            raise Failed(f"nginx says {status!r}, {headers.get(b'x-target')!r} for {request}")
        if body != bytes_of(f"file{file}", size_of(file)):
            raise Failed(f"file{file} is not what was sent: {body[:40]!r}")
        self.read += 1

    def read_back(self) -> int:
        for where in range(len(self.sockets)):
            for file in range(self.files):
                request = where, file, file * 7919 % self.targets
                self.check(request, self.ask(request))
        return len(self.sockets) * self.files


class Nginx(Server):
    name = "nginx"
    limit, hog = 128 * MIB, 110 * MIB
    pace = 300.0
    pushed_out = 4 * MIB
    files = 1_500
    targets = 150_000
    stop_signal = signal.SIGQUIT

    @classmethod
    def need(cls) -> None:
        need("nginx", "/usr/sbin", "/usr/local/nginx/sbin")
        need("setpriv")

    @property
    def user(self) -> str:
        # The master too: workers that it makes another user would have no right to lock.
        return a_user("www-data", "nginx", "http", "nobody")

    @property
    def sockets(self) -> tuple:
        return tuple(os.path.join(self.scratch, name) for name in ("files.sock", "cache.sock"))

    def prepare(self) -> None:
        os.chmod(self.scratch, 0o777)
        configuration = _CONFIGURATION.format(files_socket=self.sockets[0], cache_socket=self.sockets[1])
        self._write("nginx.conf", configuration.encode())
        self._write("targets", "".join(f"k{n} {target_of(n)};\n" for n in range(self.targets)).encode())
        os.mkdir(os.path.join(self.scratch, "site"))
        for file in range(self.files):
            self._write(f"site/file{file}", bytes_of(f"file{file}", size_of(file)))

    def _write(self, name: str, content: bytes) -> None:
        with open(os.path.join(self.scratch, name), "wb") as file:
            file.write(content)

    def command(self) -> list:
        return [need("nginx", "/usr/sbin", "/usr/local/nginx/sbin"), "-p", self.scratch, "-e", "error.log", "-c",
                os.path.join(self.scratch, "nginx.conf")]

    def answers(self) -> bool:
        traffic = Traffic(self.sockets, self.files, self.targets)
        try:
            traffic.connect()
            traffic.check((1, 0, 0), traffic.ask((1, 0, 0)))
            return True
        finally:
            traffic.disconnect()

    def fill(self) -> Traffic:
        traffic = Traffic(self.sockets, self.files, self.targets)
        traffic.connect()
        traffic.read_back()
        traffic.disconnect()
        return traffic
