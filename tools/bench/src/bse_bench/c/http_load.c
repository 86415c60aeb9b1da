/* The load generator for HTTP: N keep-alive connections in one thread, one request in flight on each.
 *
 * Options come as pairs on the command line (see `option`). With --rate R requests fall due at a fixed pace and their
 * latency counts from then, so that a server that stalls is not asked less (no coordinated omission); with --rate 0
 * each connection asks again as soon as it was answered. Ends after --requests or --seconds and prints one JSON line.
 * Answers need a Content-Length; any status but the one of --status counts as an error.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 262144, BUCKETS = 1000000, EVENTS = 256, CONNECTIONS_MAX = 1024 };

typedef struct {
    int fd, busy;
    double due_us;
    size_t held, whole; /* bytes read of this answer; its length once the head is read */
    char buffer[ROOM];
} Connection;

static const char *host = "127.0.0.1", *requests_file = "";
static int port, wanted = 1, status_wanted = 200;
static double rate, seconds = 1e9;
static long requests_max = 1L << 60;

static struct { const char *data; uint32_t length; } *requests;
static int request_count, epoll;
static Connection *connections;
static long sent, answered, errors, bytes;
static uint32_t latency[BUCKETS + 1]; /* by microsecond; the last one is "longer" */
static double begun_us;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void option(const char *name, const char *value) {
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--connections")) wanted = atoi(value);
    else if (!strcmp(name, "--rate")) rate = atof(value);
    else if (!strcmp(name, "--seconds")) seconds = atof(value);
    else if (!strcmp(name, "--requests")) requests_max = atol(value);
    else if (!strcmp(name, "--status")) status_wanted = atoi(value);
    else if (!strcmp(name, "--file")) requests_file = value;
    else { fprintf(stderr, "unknown option %s\n", name); exit(2); }
}

/* The file: for each request its length as a little-endian uint32, then its bytes. */
static void read_requests(void) {
    FILE *file = fopen(requests_file, "rb");
    if (!file) fail("requests");
    fseek(file, 0, SEEK_END);
    long size = ftell(file), at = 0;
    rewind(file);
    char *all = malloc(size);
    if (fread(all, 1, size, file) != (size_t)size) fail("requests");
    fclose(file);
    requests = malloc((size / 5 + 1) * sizeof *requests);
    while (at + 4 <= size) {
        uint32_t length;
        memcpy(&length, all + at, 4);
        requests[request_count].data = all + at + 4;
        requests[request_count++].length = length;
        at += 4 + length;
    }
    if (!request_count) { fprintf(stderr, "no requests\n"); exit(2); }
}

static void dial(Connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    inet_pton(AF_INET, host, &address.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (void *)&address, sizeof address)) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void ask(Connection *c, double due_us) {
    int which = sent++ % request_count;
    c->busy = 1;
    c->due_us = due_us;
    c->held = c->whole = 0;
    /* A request is far below the socket's buffer: a short write can't happen on an idle connection. */
    if (send(c->fd, requests[which].data, requests[which].length, MSG_NOSIGNAL) != (ssize_t)requests[which].length) fail("send");
}

/* The length of the whole answer once its head is here; 0 before. */
static size_t whole_length(Connection *c) {
    char *end = memmem(c->buffer, c->held, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t body = 0;
    for (char *line = c->buffer; line < end; line = (char *)memmem(line, end + 2 - line, "\r\n", 2) + 2)
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
    if (atoi(c->buffer + 9) != status_wanted) {
        if (!errors++) fprintf(stderr, "an answer was: %.*s\n", 200, c->buffer);
    }
    return end + 4 - c->buffer + body;
}

static void take(Connection *c) {
    ssize_t got = recv(c->fd, c->buffer + c->held, ROOM - c->held, 0);
    if (got <= 0) { /* closed between requests is the server's right; in the middle it is an error */
        errors += c->busy;
        close(c->fd);
        c->busy = 0;
        dial(c);
        return;
    }
    c->held += got;
    bytes += got;
    if (!c->whole) c->whole = whole_length(c);
    if (c->whole > ROOM) { fprintf(stderr, "the answer is too large\n"); exit(1); }
    if (!c->whole || c->held < c->whole) return;
    double us = now_us() - c->due_us;
    latency[us < BUCKETS ? (int)us : BUCKETS]++;
    answered++;
    c->busy = 0;
}

static double percentile(double percent) {
    long seen = 0, rank = (long)(answered * percent / 100);
    for (int us = 0; us <= BUCKETS; us++)
        if ((seen += latency[us]) > rank) return us / 1e3;
    return BUCKETS / 1e3;
}

static int over(void) { return sent >= requests_max || now_us() - begun_us >= seconds * 1e6; }

static void pump(void) {
    double now = now_us();
    for (int i = 0; i < wanted && !over(); i++) {
        Connection *c = connections + i;
        if (c->busy) continue;
        double due = rate ? begun_us + sent * 1e6 / rate : now;
        if (due > now) return;
        ask(c, due);
    }
}

int main(int count, char **words) {
    for (int i = 1; i + 1 < count; i += 2) option(words[i], words[i + 1]);
    if (wanted > CONNECTIONS_MAX) { fprintf(stderr, "at most %d connections\n", CONNECTIONS_MAX); return 2; }
    read_requests();
    epoll = epoll_create1(0);
    connections = calloc(wanted, sizeof *connections);
    for (int i = 0; i < wanted; i++) dial(connections + i);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    /* Wakes us when a request may have fallen due; each counts from its own due time, whenever we wake. */
    struct itimerspec each = {.it_interval.tv_nsec = 200000, .it_value.tv_nsec = 200000};
    if (rate) timerfd_settime(timer, 0, &each, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    begun_us = now_us();
    pump();
    long busy = 0;
    do {
        /* Not asleep until the next byte: else each answer pays for waking us up, on an idle virtual core more than for
         * all the rest of it. */
        int found = epoll_wait(epoll, events, EVENTS, 0);
        uint64_t ticks;
        for (int i = 0; i < found; i++) {
            if (events[i].data.ptr) take(events[i].data.ptr);
            else if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) fail("timer");
        }
        pump();
        busy = 0;
        for (int i = 0; i < wanted; i++) busy += connections[i].busy;
    } while (busy || !over());
    double took_s = (now_us() - begun_us) / 1e6;
    printf("{\"answered\":%ld,\"errors\":%ld,\"seconds\":%.6f,\"bytes\":%ld,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f}\n",
           answered, errors, took_s, bytes, percentile(50), percentile(99), percentile(99.9));
    return 0;
}
