"""nginx: a master and two workers, files over HTTP (by ab if there is one), a reload, a graceful end.

As root the workers become another user, as distributions have it.
"""

import hashlib
import http.client
import os
import pwd
import signal
import socket

from support import find_program, need, process_fields

CONFIGURATION = """
{user}
daemon off;
master_process on;
worker_processes 2;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 100000;
    client_body_temp_path tmp/body;
    proxy_temp_path tmp/proxy;
    fastcgi_temp_path tmp/fastcgi;
    uwsgi_temp_path tmp/uwsgi;
    scgi_temp_path tmp/scgi;
    gzip on;
    gzip_min_length 100;
    gzip_types text/plain;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location /said {{ return 200 "said\\n"; }}
    }}
}}
"""


def unused_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def worker_user():
    for name in ("www-data", "nginx", "http", "nobody"):
        try:
            pwd.getpwnam(name)
            return name
        except KeyError:
            continue
    return "nobody"


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if process_fields(int(name), "PPid")[0] == pid:
                    found.append(int(name))
            except (OSError, KeyError):
                continue
    return found


def run(stage):
    nginx = need("nginx", "/usr/sbin", "/usr/local/nginx/sbin")
    port = unused_port()
    stage.make_directory("site")
    stage.write("site/small", "small\n")
    stage.write("site/large", "".join(f"line {i}\n" for i in range(300_000)))
    user = f"user {worker_user()};" if stage.user.uid == 0 else ""
    stage.write("nginx.conf", CONFIGURATION.format(user=user, port=port, root=stage.path("site")))

    def get(path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, hashlib.sha256(answer.read()).hexdigest()
        finally:
            connection.close()

    def answers():
        try:
            return get("/said")[0] == 200
        except OSError:
            return False

    server = stage.server(nginx, "-p", stage.directory, "-e", "error.log", "-c", stage.path("nginx.conf"),
                          ready=answers, programs={nginx: 3}, drops_root=True)
    for path in ("/small", "/large", "/said", "/none"):
        stage.same(f"GET {path}", get(path))
    stage.same("GET /large in gzip", get("/large", **{"Accept-Encoding": "gzip"}))
    stage.expect_lock(server.pid, "nginx master")
    before = children(server.pid)
    stage.same("workers", len(before))
    ab = find_program("ab")
    if ab:
        said = stage.command(ab, "-q", "-k", "-n", "4000", "-c", "16", f"http://127.0.0.1:{port}/small",
                             compare=()).stdout
        numbers = [line.split()[-1] for line in said.splitlines()
                   if line.startswith((b"Complete requests:", b"Failed requests:"))]
        stage.same("ab complete and failed requests", numbers)
    server.process.send_signal(signal.SIGHUP)
    stage.wait_for(lambda: len(children(server.pid)) == 2 and not set(before) & set(children(server.pid)),
                   "nginx does not get new workers", server)
    stage.wait_for(answers, "nginx does not answer after its reload", server)
    stage.same("GET /large after a reload", get("/large"))
    stage.finish(server, send=signal.SIGQUIT)
