/* The floor: a server that only calls send(). One frame, made beforehand, to every socket at each tick.
 *
 * `floor PAYLOAD_BYTES` prints its port, then obeys lines on standard input: `go HZ`, `pause`; it ends with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16384, EVENTS = 256 };

/* To RFC 6455's example nonce, which the load generator sends. */
static const char UPGRADE[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static int sockets[CLIENTS_MAX], count, listener, timer, epoll;
static unsigned char frame[65536];
static size_t frame_length;

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void tick(void) {
    unsigned long long expirations;
    if (read(timer, &expirations, sizeof expirations) < 0) return;
    for (int i = 0; i < count; i++) send(sockets[i], frame, frame_length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void order(void) {
    char line[4096] = "";
    double hz = 0;
    if (read(0, line, sizeof line - 1) <= 0) exit(0);
    sscanf(line, "go %lf", &hz);
    long ns = hz > 0 ? (long)(1e9 / hz) : 0;
    struct timespec each = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    struct itimerspec timing = {.it_interval = each, .it_value = each};
    timerfd_settime(timer, 0, &timing, NULL);
    puts("ok");
    fflush(stdout);
}

static void accept_one(void) {
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd);
}

static void from_client(int fd) {
    char request[4096];
    ssize_t got = recv(fd, request, sizeof request, 0);
    if (got <= 0) {
        close(fd);
        return;
    }
    if (count < CLIENTS_MAX && !strncmp(request, "GET ", 4)) {
        send(fd, UPGRADE, sizeof UPGRADE - 1, MSG_NOSIGNAL);
        sockets[count++] = fd;
    }
}

int main(int argc, char **argv) {
    size_t payload = argc > 1 ? (size_t)atoi(argv[1]) : 100;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct epoll_event events[EVENTS];
    if (payload > 125) return 2;
    frame[0] = 0x82;
    frame[1] = (unsigned char)payload;
    memset(frame + 2, 'x', payload);
    frame_length = payload + 2;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    epoll = epoll_create1(0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 4096) < 0) return 1;
    getsockname(listener, (struct sockaddr *)&at, &size);
    watch(0);
    watch(listener);
    watch(timer);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int found = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
            int fd = events[i].data.fd;
            if (fd == 0) order();
            else if (fd == listener) accept_one();
            else if (fd == timer) tick();
            else from_client(fd);
        }
    }
}
