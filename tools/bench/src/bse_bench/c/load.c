/* The load generator: N WebSocket (or Socket.IO) clients in one thread, much cheaper than any server it measures.
 *
 * Knows the client side of RFC 6455, the Engine.IO/Socket.IO handshake and pings, and how to count what comes.
 * Options come as pairs on the command line (see `option`), orders on standard input, one JSON line answers each:
 *   mark          the counts since the last mark
 *   stall K       the first K clients stop reading
 *   drip K BYTES  the first K clients read only so many bytes every 100 ms
 * The end of standard input ends the program, so nothing outlives the benchmark.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, UPGRADING, ENGINE_OPEN, SOCKETIO_CONNECT, SUBSCRIBING, READY, CLOSED };
enum { READS, STALLED, DRIPS };
enum { IN_FLIGHT_MAX = 128, READ_MAX = 262144, SOURCES = 4, BUCKETS = 100000, EVENTS = 512, DRIP_MS = 100 };

typedef struct {
    int fd, state, pace;
    size_t held, room;
    unsigned char *buffer; /* the beginning of a frame whose end has not come yet */
} Client;

typedef struct {
    long frames, messages, rows, bytes, largest, samples, closed;
    long tick_samples;
    uint32_t latency[BUCKETS + 1]; /* in tenths of a millisecond: since the publisher's stamp */
    uint32_t tick[BUCKETS + 1];    /* the same since the server's tick began */
} Counts;

static const char *host = "127.0.0.1", *path = "/", *protocol = "", *match = "", *ready_text = "", *rows_text = "",
                  *stamp_text = "", *messages_file = "";
static int port, wanted = 1, socketio, text = 1, rows_msgpack, receive_buffer, rest_us;

static Client *clients;
static struct { const char *data; uint32_t length; } *messages;
static int message_count, epoll, started, in_flight, ready, failed, close_code;
static Counts counts;
static double begun_ms, marked_ms;
static unsigned char input[READ_MAX];
static size_t drip_bytes;
static int reads_slowly;

static double now_ms(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(Client *c, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(c - clients)};
    if (epoll_ctl(epoll, how, c->fd, &event) < 0) die("epoll_ctl");
}

static void next_clients(void);

static void gone(Client *c) {
    if (c->state == CLOSED) return;
    if (c->state != READY) {
        failed++;
        in_flight--;
    }
    c->state = CLOSED;
    counts.closed++;
    close(c->fd);
    free(c->buffer);
    c->buffer = NULL;
    c->held = c->room = 0;
}

/* A masked frame whose mask is zero: allowed, and the payload stays as it is. */
static void send_frame(Client *c, int opcode, const char *payload, uint32_t length) {
    static unsigned char frame[1 << 20];
    size_t head = 2;
    frame[0] = (unsigned char)(0x80 | opcode);
    if (length < 126) {
        frame[1] = (unsigned char)(0x80 | length);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(length >> 8);
        frame[3] = (unsigned char)length;
        head = 4;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, payload, length);
    size_t whole = head + 4 + length;
    if (send(c->fd, frame, whole, MSG_NOSIGNAL) != (ssize_t)whole) gone(c);
}

static void subscribe(Client *c) {
    c->state = SUBSCRIBING;
    if (message_count) {
        int at = (int)(c - clients) % message_count;
        send_frame(c, text ? 1 : 2, messages[at].data, messages[at].length);
    }
    if (c->state == SUBSCRIBING && !*ready_text) {
        c->state = READY;
        ready++;
        in_flight--;
    }
}

static uint64_t big_endian(const unsigned char *p, int bytes) {
    uint64_t value = 0;
    while (bytes--) value = value << 8 | *p++;
    return value;
}

static int bucket(double since_ms) {
    double tenths = (now_ms(CLOCK_REALTIME) - since_ms) * 10;
    return tenths < 0 ? 0 : tenths >= BUCKETS ? BUCKETS : (int)tenths;
}

static void sample(double published_ms, double tick_ms) {
    counts.latency[bucket(published_ms)]++;
    counts.samples++;
    if (tick_ms <= 0) return;
    counts.tick[bucket(tick_ms)]++;
    counts.tick_samples++;
}

/* update: [2, uint64 sent, uint64 received, [row, ...]] as the hub packs it. */
static void count_msgpack(const unsigned char *p, size_t length) {
    if (length < 21 || (p[0] & 0xfe) != 0x94 || p[2] != 0xcf || p[11] != 0xcf) return;
    if ((p[20] & 0xf0) == 0x90) counts.rows += p[20] & 0x0f;
    else if (p[20] == 0xdc && length > 22) counts.rows += (long)big_endian(p + 21, 2);
    sample((double)big_endian(p + 12, 8), (double)big_endian(p + 3, 8));
}

static double number_after(const unsigned char *p, size_t length, const char *text) {
    size_t size = strlen(text);
    const unsigned char *end = p + length, *at = size ? memmem(p, length, text, size) : NULL;
    uint64_t found = 0;
    if (!at) return 0;
    for (at += size; at < end && *at >= '0' && *at <= '9'; at++) found = found * 10 + (*at - '0');
    return (double)found;
}

static void count_text(const unsigned char *p, size_t length) {
    size_t size = strlen(rows_text);
    const unsigned char *end = p + length, *at = p;
    if (size)
        while ((at = memmem(at, (size_t)(end - at), rows_text, size))) {
            counts.rows++;
            at += size;
        }
    double published_ms = number_after(p, length, stamp_text);
    if (published_ms > 0) sample(published_ms, number_after(p, length, "\"sent_at_ms\":"));
}

static void payload(Client *c, int opcode, const unsigned char *p, size_t length) {
    counts.frames++;
    counts.bytes += (long)length;
    if ((long)length > counts.largest) counts.largest = (long)length;
    if (opcode == 8) {
        if (length >= 2) close_code = (int)big_endian(p, 2);
        send_frame(c, 8, (const char *)p, length < 2 ? 0 : 2);
        gone(c);
    } else if (opcode == 9) {
        send_frame(c, 10, (const char *)p, (uint32_t)length);
    } else if (socketio && length == 1 && p[0] == '2') {
        send_frame(c, 1, "3", 1);
    } else if (length == 6 && !memcmp(p, "PING\r\n", 6)) { /* a NATS server's */
        send_frame(c, 2, "PONG\r\n", 6);
    } else if (c->state == ENGINE_OPEN) {
        c->state = SOCKETIO_CONNECT;
        send_frame(c, 1, "40", 2);
    } else if (c->state == SOCKETIO_CONNECT) {
        if (length >= 2 && p[0] == '4' && p[1] == '0') subscribe(c);
    } else if (c->state == SUBSCRIBING) {
        if (memmem(p, length, ready_text, strlen(ready_text))) {
            c->state = READY;
            ready++;
            in_flight--;
        }
    } else if (rows_msgpack) {
        if (length > 1 && p[1] == 2) {
            counts.messages++;
            count_msgpack(p, length);
        }
    } else if (!*match || (length >= strlen(match) && !memcmp(p, match, strlen(match)))) {
        counts.messages++;
        count_text(p, length);
    }
}

/* Takes whole frames off the front; returns how many bytes were taken. */
static size_t frames(Client *c, const unsigned char *p, size_t length) {
    size_t taken = 0;
    while (length - taken >= 2 && c->state != CLOSED) {
        const unsigned char *frame = p + taken;
        size_t head = 2, body = frame[1] & 0x7f, left = length - taken;
        if (body == 126) {
            if (left < 4) break;
            head = 4;
            body = (size_t)big_endian(frame + 2, 2);
        } else if (body == 127) {
            if (left < 10) break;
            head = 10;
            body = (size_t)big_endian(frame + 2, 8);
        }
        if (left < head + body) break;
        payload(c, frame[0] & 0x0f, frame + head, body);
        taken += head + body;
    }
    return taken;
}

static size_t answer(Client *c, const unsigned char *p, size_t length) {
    const unsigned char *end = memmem(p, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (length < 12 || memcmp(p + 8, " 101", 4)) {
        fprintf(stderr, "load: upgrade refused: %.60s\n", (const char *)p);
        gone(c);
        return length;
    }
    if (socketio) c->state = ENGINE_OPEN;
    else subscribe(c);
    return (size_t)(end + 4 - p);
}

static void take(Client *c, const unsigned char *p, size_t length) {
    if (c->held) {
        if (c->held + length > c->room) {
            c->room = (c->held + length) * 2;
            if (!(c->buffer = realloc(c->buffer, c->room))) die("realloc");
        }
        memcpy(c->buffer + c->held, p, length);
        p = c->buffer;
        length += c->held;
    }
    size_t taken = c->state == UPGRADING ? answer(c, p, length) : 0;
    if (c->state != UPGRADING && c->state != CLOSED) taken += frames(c, p + taken, length - taken);
    if (c->state == CLOSED) return;
    size_t rest = length - taken;
    if (rest && p != c->buffer && rest > c->room) {
        c->room = rest * 2;
        if (!(c->buffer = realloc(c->buffer, c->room))) die("realloc");
    }
    if (rest) memmove(c->buffer, p + taken, rest);
    c->held = rest;
}

static void readable(Client *c, size_t most) {
    ssize_t got = recv(c->fd, input, most, 0);
    if (got > 0) take(c, input, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR)) gone(c);
}

static void connected(Client *c) {
    char request[1024];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        errno = error;
        perror("load: connect");
        gone(c);
        return;
    }
    /* The nonce is RFC 6455's own example, so a minimal server may answer it with a constant. */
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
                          path, host, port, *protocol ? "Sec-WebSocket-Protocol: " : "", protocol,
                          *protocol ? "\r\n" : "");
    if (send(c->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
        gone(c);
        return;
    }
    c->state = UPGRADING;
    watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP);
}

static void start(Client *c) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    /* Several source addresses, so that the ports of one do not run out. */
    from.sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)((c - clients) % SOURCES));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (receive_buffer) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    inet_pton(AF_INET, host, &to.sin_addr);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
    c->state = CONNECTING;
    in_flight++;
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void next_clients(void) {
    while (started < wanted && in_flight < IN_FLIGHT_MAX) start(&clients[started++]);
}

static void percentiles(const char *name, const uint32_t *histogram, long samples) {
    static const double points[] = {50, 90, 99, 99.9, 100};
    long seen = 0;
    size_t at = 0;
    printf(",\"%s\":{", name);
    for (int i = 0; i <= BUCKETS && samples; i++) {
        seen += histogram[i];
        while (at < 5 && seen && seen >= samples * points[at] / 100) {
            printf("%s\"p%g\":%.1f", at ? "," : "", points[at], (i + 1) / 10.0);
            at++;
        }
    }
    printf("}");
}

static void mark(void) {
    struct rusage use;
    double now = now_ms(CLOCK_MONOTONIC);
    getrusage(RUSAGE_SELF, &use);
    printf("{\"ms\":%.1f,\"frames\":%ld,\"messages\":%ld,\"rows\":%ld,\"bytes\":%ld,\"largest\":%ld,\"closed\":%ld,"
           "\"close_code\":%d,\"cpu_ms\":%.1f",
           now - marked_ms, counts.frames, counts.messages, counts.rows, counts.bytes, counts.largest, counts.closed,
           close_code,
           use.ru_utime.tv_sec * 1e3 + use.ru_utime.tv_usec / 1e3 + use.ru_stime.tv_sec * 1e3 +
               use.ru_stime.tv_usec / 1e3);
    percentiles("latency_ms", counts.latency, counts.samples);
    percentiles("tick_ms", counts.tick, counts.tick_samples);
    puts("}");
    memset(&counts, 0, sizeof counts);
    marked_ms = now;
}

static void slow_down(int count, int pace) {
    for (int i = 0; i < count && i < wanted; i++) {
        if (clients[i].state != READY) continue;
        clients[i].pace = pace;
        watch(&clients[i], EPOLL_CTL_MOD, EPOLLRDHUP);
    }
    reads_slowly = pace == DRIPS ? count : 0;
    puts("{}");
}

static void order(void) {
    char line[256];
    int count;
    ssize_t got = read(0, line, sizeof line - 1);
    if (got <= 0) exit(0);
    line[got] = 0;
    if (!strncmp(line, "mark", 4)) mark();
    else if (sscanf(line, "stall %d", &count) == 1) slow_down(count, STALLED);
    else if (sscanf(line, "drip %d %zu", &count, &drip_bytes) == 2) slow_down(count, DRIPS);
    else puts("{\"error\":\"no such order\"}");
    fflush(stdout);
}

static void drip(void) {
    static double due;
    double now = now_ms(CLOCK_MONOTONIC);
    if (now < due) return;
    due = now + DRIP_MS;
    for (int i = 0; i < reads_slowly; i++)
        if (clients[i].pace == DRIPS && clients[i].state == READY) readable(&clients[i], drip_bytes);
}

static void event(Client *c, uint32_t events) {
    if (c->state == CLOSED) return;
    if (c->state == CONNECTING) connected(c);
    else if (events & EPOLLIN) readable(c, READ_MAX);
    else if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) gone(c);
}

static void run(void) {
    struct epoll_event events[EVENTS], orders = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    int told = 0;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &orders) < 0) die("standard input");
    for (;;) {
        next_clients();
        if (!told && ready + failed == wanted) {
            printf("{\"ready\":%d,\"failed\":%d,\"ms\":%.0f}\n", ready, failed, now_ms(CLOCK_MONOTONIC) - begun_ms);
            fflush(stdout);
            told = 1;
        }
        int count = epoll_wait(epoll, events, EVENTS, reads_slowly ? DRIP_MS : -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == UINT32_MAX) order();
            else event(&clients[events[i].data.u32], events[i].events);
        }
        if (reads_slowly) drip();
        if (told && rest_us) usleep((useconds_t)rest_us);
    }
}

/* Records of the file: length (4 bytes, little-endian), then so many bytes. Client i sends record i modulo count. */
static void read_messages(void) {
    FILE *file = fopen(messages_file, "rb");
    uint32_t length;
    if (!file) die(messages_file);
    while (fread(&length, 4, 1, file) == 1) {
        char *data = malloc(length);
        messages = realloc(messages, sizeof *messages * (size_t)(message_count + 1));
        if (!data || !messages || length > 65535 || fread(data, 1, length, file) != length) die(messages_file);
        messages[message_count].data = data;
        messages[message_count++].length = length;
    }
    fclose(file);
}

static void option(const char *name, const char *value) {
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--clients")) wanted = atoi(value);
    else if (!strcmp(name, "--path")) path = value;
    else if (!strcmp(name, "--protocol")) protocol = value;
    else if (!strcmp(name, "--socketio")) socketio = atoi(value);
    else if (!strcmp(name, "--text")) text = atoi(value);
    else if (!strcmp(name, "--messages")) messages_file = value;
    else if (!strcmp(name, "--ready")) ready_text = value;         /* in the answer to the subscribe message */
    else if (!strcmp(name, "--match")) match = value;              /* what a counted message begins with */
    else if (!strcmp(name, "--rows")) rows_text = value;           /* each one of it in a message is a row */
    else if (!strcmp(name, "--stamp")) stamp_text = value;         /* epoch milliseconds follow it */
    else if (!strcmp(name, "--msgpack")) rows_msgpack = atoi(value); /* the hub's frames: rows and stamp by place */
    else if (!strcmp(name, "--rest-us")) rest_us = atoi(value); /* between looks, see docs/performance.md */
    else if (!strcmp(name, "--receive-buffer")) receive_buffer = atoi(value);
    else {
        fprintf(stderr, "load: no option %s\n", name);
        exit(2);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i + 1 < argc; i += 2) option(argv[i], argv[i + 1]);
    if (*messages_file) read_messages();
    clients = calloc((size_t)wanted, sizeof *clients);
    epoll = epoll_create1(0);
    if (!clients || epoll < 0) die("start");
    begun_ms = marked_ms = now_ms(CLOCK_MONOTONIC);
    run();
}
