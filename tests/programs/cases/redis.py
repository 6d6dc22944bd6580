"""redis-server over a UNIX socket: redis-benchmark, data written and read back, a forked save, a reload, SHUTDOWN."""

from support import need


def run(stage):
    server_path, client_path, benchmark = need("redis-server"), need("redis-cli"), need("redis-benchmark")
    socket = stage.path("redis.sock")
    if len(socket) > 100:
        raise RuntimeError("the path of the socket is too long: " + socket)

    def start():
        return stage.server(
            server_path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
            "--dir", stage.directory, "--loglevel", "warning", ready=answers)

    def answers():
        # Not a command of the stage: it is only polled.
        import socket as sockets
        with sockets.socket(sockets.AF_UNIX) as connection:
            try:
                connection.connect(socket)
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def ask(*words, **options):
        return stage.command(client_path, "-s", socket, *words, **options)

    server = start()
    stage.expect_lock(server.pid, "redis-server at start")
    stage.command(benchmark, "-s", socket, "-q", "-n", "20000", "-c", "20", "-P", "8", "-d", "400",
                  "-t", "set,get,incr,lpush,lpop,hset", compare=())
    ask("GET", "counter:__rand_int__")
    ask("LLEN", "mylist")
    filling = "".join(f"SET key:{i} {'v' * (i % 700)}{i}\r\n" for i in range(20_000))
    ask("--pipe", stdin=filling.encode())
    for number in (0, 699, 12_345, 19_999):
        ask("GET", f"key:{number}")
    stage.expect_lock(server.pid, "redis-server with its data")
    # Scripts touch every key; BGSAVE forks while the parent goes on writing.
    total = "local n = 0; for i = 0, 19999 do n = n + #redis.call('GET', 'key:' .. i) end; return n"
    ask("EVAL", total, "0")
    ask("BGSAVE")
    ask("--pipe", stdin="".join(f"SET key:{i} changed{i}\r\n" for i in range(0, 20_000, 3)).encode())
    stage.wait_for(lambda: b"rdb_bgsave_in_progress:0" in ask("INFO", "persistence", compare=()).stdout,
                   "BGSAVE does not end", server)
    stage.check(b"rdb_last_bgsave_status:ok" in ask("INFO", "persistence", compare=()).stdout, "BGSAVE failed")
    ask("EVAL", total, "0")
    ask("DBSIZE")
    stage.expect_lock(server.pid, "redis-server after a fork")
    ask("SHUTDOWN", "SAVE")
    stage.finish(server)

    server = start()
    ask("EVAL", total, "0")
    ask("DBSIZE")
    stage.expect_lock(server.pid, "redis-server after a reload")
    ask("SHUTDOWN", "NOSAVE")
    stage.finish(server)
