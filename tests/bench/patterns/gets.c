/*
 * gets COUNT SOCKET KEYS
 *
 * Asks the redis-server behind SOCKET for COUNT random ones of key:0 … key:KEYS-1, one after the
 * other, each answer timed by itself. Prints p50, p99, p99.9 and the longest in nanoseconds.
 */
#include "latency.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        die("the path of the socket is too long");
    strcpy(address.sun_path, path);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof(address)))
        die("no server answers there");
    return server;
}

/* `$LENGTH`, a line's end, as many bytes, and a line's end again. */
static void read_answer(int server)
{
    static char answer[1 << 16];
    size_t length = 0;
    size_t wanted = sizeof(answer);

    while (length < wanted) {
        ssize_t got = read(server, answer + length, sizeof(answer) - 1 - length);
        char *line_end;

        if (got <= 0)
            die("the server's answer is too long, or it is gone");
        length += (size_t)got;
        answer[length] = '\0';
        if (answer[0] != '$' || answer[1] == '-')
            die("a key is not there");
        line_end = strstr(answer, "\r\n");
        if (line_end)
            wanted = (size_t)(line_end - answer) + 4 + strtoul(answer + 1, NULL, 10);
    }
}

int main(int count, char *arguments[])
{
    size_t gets = argument(count, arguments, 1, 1);
    size_t keys = argument(count, arguments, 3, 1);
    int server = connect_to(count > 2 ? arguments[2] : "");
    struct latencies latencies = latencies_of(gets);
    uint64_t state = 88172645463325252;

    for (size_t i = 0; i < gets; i++) {
        char request[64];
        int length = snprintf(request, sizeof(request), "GET key:%zu\r\n",
                              (size_t)((next_random(&state) >> 16) % keys));
        uint64_t begin = now_ns();

        if (write(server, request, (size_t)length) != length)
            die("the server is gone");
        read_answer(server);
        note_latency(&latencies, i, now_ns() - begin);
    }
    print_latencies(&latencies);
    close(server);
    return 0;
}
