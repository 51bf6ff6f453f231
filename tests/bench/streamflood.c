// REGISTER load over connections, plain TCP or WebSocket: keeps W requests on their way on each of N connections,
// each connection with its own share of K users, and counts what comes back.
//
//   streamflood tcp|ws HOST PORT [connections=100] [W=1] [seconds=4] [K=10000]
//
// A request that fails (other) or is never answered (unanswered) is told beside the rate: look at those as well.
// One process, one thread, epoll.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM 65536        // bytes of a connection's buffers: more than any answer, and than W requests
#define REQUEST 1024      // bytes of one request, its frame included
#define LAST_ANSWERS 2.0  // seconds to wait for what is still on its way when time is up

struct connection {
  int fd, port;
  long turn;         // requests it was sent
  int in_flight;
  int is_upgraded;
  int is_continued;  // WebSocket: the frames that come next belong to a message that was counted
  size_t in_length, out_at, out_length;
  char in[ROOM], out[ROOM];
};

static int is_ws, connection_count, window;
static long user_count;
static struct connection *connections;
static int poller;
static long sent, ok, other, lost;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint32_t random32(void) {
  static uint32_t state = 0x5150;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static void watch(struct connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poller, operation, c->fd, &event) < 0) fail("epoll_ctl");
}

static void drop(struct connection *c) {
  if (c->fd < 0) return;
  close(c->fd);
  c->fd = -1;
  lost++;
}

// Adds bytes to what is to be written.
static void put(struct connection *c, const void *bytes, size_t length) {
  if (c->out_length + length > ROOM) {
    memmove(c->out, c->out + c->out_at, c->out_length - c->out_at);
    c->out_length -= c->out_at;
    c->out_at = 0;
  }
  if (c->out_length + length > ROOM) {
    fprintf(stderr, "W is too large\n");
    exit(1);
  }
  memcpy(c->out + c->out_length, bytes, length);
  c->out_length += length;
}

static void flush(struct connection *c) {
  while (c->fd >= 0 && c->out_at < c->out_length) {
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_length - c->out_at, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    if (n < 0) return drop(c);
    c->out_at += n;
  }
  c->out_at = c->out_length = 0;
}

// One frame of ours, masked as a client must (RFC 6455 section 5.3).
static void put_frame(struct connection *c, int opcode, const char *payload, size_t length) {
  unsigned char frame[REQUEST + 14];
  size_t at = 0;
  frame[at++] = 0x80 | opcode;
  if (length < 126) {
    frame[at++] = 0x80 | length;
  } else {
    frame[at++] = 0x80 | 126;
    frame[at++] = length >> 8;
    frame[at++] = length & 255;
  }
  uint32_t key = random32();
  memcpy(frame + at, &key, 4);
  at += 4;
  size_t i = 0;
  for (uint64_t wide = (uint64_t)key << 32 | key; i + 8 <= length; i += 8) {
    uint64_t eight;
    memcpy(&eight, payload + i, 8);
    eight ^= wide;
    memcpy(frame + at + i, &eight, 8);
  }
  for (; i < length; i++) frame[at + i] = payload[i] ^ ((char *)&key)[i & 3];
  put(c, frame, at + length);
}

static void put_request(struct connection *c) {
  char text[REQUEST];
  int index = c - connections;
  long users = user_count / connection_count;  // of this connection
  if (users < 1) users = 1;
  long user = index + connection_count * (c->turn % users), cseq = c->turn / users + 1;
  // A run has users of its own: what an earlier one has left behind must not make a later one slower.
  int run = getpid();
  char at[64];
  if (is_ws) snprintf(at, sizeof at, "c%d.invalid", index);
  else snprintf(at, sizeof at, "127.0.0.1:%d", c->port);
  int length = snprintf(
      text, sizeof text,
      "REGISTER sip:example.com SIP/2.0\r\n"
      "Via: SIP/2.0/%s %s;rport;branch=z9hG4bK%d-%lx\r\n"
      "Max-Forwards: 70\r\n"
      "From: <sip:u%d-%ld@example.com>;tag=t%lx\r\n"
      "To: <sip:u%d-%ld@example.com>\r\n"
      "Call-ID: call-%d-%ld@127.0.0.1\r\n"
      "CSeq: %ld REGISTER\r\n"
      "Contact: <sip:u%d-%ld@%s;transport=%s>;expires=3600\r\n"
      "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,MESSAGE\r\n"
      "User-Agent: streamflood\r\n"
      "Content-Length: 0\r\n\r\n",
      is_ws ? "WS" : "TCP", at, run, sent, run, user, sent, run, user, run, user, cseq, run, user, at,
      is_ws ? "ws" : "tcp");
  if (is_ws) put_frame(c, 1, text, length);
  else put(c, text, length);
  c->turn++;
  c->in_flight++;
  sent++;
}

// A message has come; only its first bytes matter.
static void take(struct connection *c, const char *text, size_t length) {
  if (length < 12 || memcmp(text, "SIP/2.0 ", 8) != 0) {
    fprintf(stderr, "not SIP: %.*s\n", (int)(length < 200 ? length : 200), text);
    return drop(c);
  }
  if (text[8] == '1') return;
  if (memcmp(text + 8, "200", 3) == 0) {
    ok++;
  } else if (other++ == 0) {
    fprintf(stderr, "%.*s\n", (int)(length < 200 ? length : 200), text);
  }
  c->in_flight--;
}

// What Content-Length says in a header that ends at `end`, or -1.
static long content_length(const char *at, const char *end) {
  while (at < end) {
    const char *line_end = memchr(at, '\n', end - at);
    if (line_end == NULL) return -1;
    size_t name = strncasecmp(at, "content-length", 14) == 0 ? 14 : strncasecmp(at, "l", 1) == 0 ? 1 : 0;
    const char *value = at + name;
    while (name > 0 && (*value == ' ' || *value == '\t')) value++;
    if (name > 0 && *value == ':') return atol(value + 1);
    at = line_end + 1;
  }
  return -1;
}

// Takes a message from a stream (RFC 3261 section 18.3); how many bytes it took, 0 if it is not whole.
static size_t take_message(struct connection *c, const char *at, size_t length) {
  size_t empty = 0;
  while (empty < length && (at[empty] == '\r' || at[empty] == '\n')) empty++;
  if (empty > 0) return empty;
  const char *blank = memmem(at, length, "\r\n\r\n", 4);
  if (blank == NULL) return 0;
  size_t header = blank + 4 - at;
  long body = content_length(at, at + header);
  if (body < 0) {
    fprintf(stderr, "no Content-Length\n");
    drop(c);
    return 0;
  }
  if (header + body > length) return 0;
  take(c, at, header + body);
  return header + body;
}

// Takes a frame (RFC 6455 section 5.2); how many bytes it took, 0 if it is not whole.
static size_t take_frame(struct connection *c, const char *bytes, size_t length) {
  const unsigned char *at = (const unsigned char *)bytes;
  if (length < 2) return 0;
  int opcode = at[0] & 15, is_last = at[0] >> 7;
  uint64_t size = at[1] & 127;
  size_t header = size == 126 ? 4 : size == 127 ? 10 : 2;
  if (length < header) return 0;
  if (header > 2) {
    size = 0;
    for (size_t i = 2; i < header; i++) size = size << 8 | at[i];
  }
  if (size > ROOM - 10 || (at[1] & 128)) {
    fprintf(stderr, "a frame no server sends\n");
    drop(c);
    return 0;
  }
  if (header + size > length) return 0;
  if (opcode == 8) {
    drop(c);
  } else if (opcode == 9) {
    put_frame(c, 10, bytes + header, size);
  } else if (opcode == 1 || opcode == 2) {
    c->is_continued = !is_last;
    // An empty line answers a keep-alive.
    if (size > 2) take(c, bytes + header, size);
  } else if (opcode == 0 && !c->is_continued) {
    fprintf(stderr, "a frame that continues nothing\n");
    drop(c);
  }
  return header + size;
}

static size_t take_upgrade(struct connection *c, const char *at, size_t length) {
  const char *blank = memmem(at, length, "\r\n\r\n", 4);
  if (blank == NULL) return 0;
  size_t header = blank + 4 - at;
  if (memcmp(at, "HTTP/1.1 101", 12) != 0) {
    fprintf(stderr, "not upgraded: %.*s\n", (int)header, at);
    drop(c);
    return 0;
  }
  c->is_upgraded = 1;
  return header;
}

static void on_input(struct connection *c) {
  ssize_t n = recv(c->fd, c->in + c->in_length, ROOM - c->in_length, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return drop(c);
  c->in_length += n;
  size_t at = 0, took = 1;
  while (c->fd >= 0 && at < c->in_length && took > 0) {
    const char *rest = c->in + at;
    size_t length = c->in_length - at;
    took = !is_ws ? take_message(c, rest, length)
         : c->is_upgraded ? take_frame(c, rest, length)
         : take_upgrade(c, rest, length);
    at += took;
  }
  if (at == 0 && c->in_length == ROOM) {
    fprintf(stderr, "a message that is too long\n");
    return drop(c);
  }
  memmove(c->in, c->in + at, c->in_length - at);
  c->in_length -= at;
}

// Waits for events and takes what has come; `more`: every answer is followed by another request.
static void turn(int more) {
  struct epoll_event events[256];
  int count = epoll_wait(poller, events, 256, 100);
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (c->fd >= 0 && (events[i].events & EPOLLOUT)) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) on_input(c);
    if (c->fd < 0) continue;
    while (more && c->in_flight < window) put_request(c);
    flush(c);
  }
}

static void open_connection(struct connection *c, const char *host, int port) {
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)}, here;
  if (inet_pton(AF_INET, host, &there.sin_addr) != 1) fail(host);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0) fail("socket");
  if (connect(c->fd, (void *)&there, sizeof there) < 0) fail("connect");
  socklen_t length = sizeof here;
  getsockname(c->fd, (void *)&here, &length);
  c->port = ntohs(here.sin_port);
  int yes = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
  if (!is_ws) return;
  char request[512];
  int size = snprintf(request, sizeof request,
                      "GET / HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Protocol: sip\r\n\r\n",
                      host, port);
  put(c, request, size);
  flush(c);
}

static int is_ready(void) {
  for (int i = 0; i < connection_count; i++) {
    if (connections[i].fd >= 0 && is_ws && !connections[i].is_upgraded) return 0;
  }
  return 1;
}

static long unanswered(void) {
  long count = 0;
  for (int i = 0; i < connection_count; i++) count += connections[i].in_flight;
  return count;
}

int main(int count, char **values) {
  if (count < 4 || (strcmp(values[1], "tcp") != 0 && strcmp(values[1], "ws") != 0)) {
    fprintf(stderr, "usage: streamflood tcp|ws HOST PORT [connections=100] [W=1] [seconds=4] [K=10000]\n");
    return 2;
  }
  is_ws = strcmp(values[1], "ws") == 0;
  const char *host = values[2];
  int port = atoi(values[3]);
  connection_count = count > 4 ? atoi(values[4]) : 100;
  window = count > 5 ? atoi(values[5]) : 1;
  double seconds = count > 6 ? atof(values[6]) : 4;
  user_count = count > 7 ? atol(values[7]) : 10000;
  if (connection_count < 1 || window < 1 || window > ROOM / REQUEST || user_count < 1) {
    fprintf(stderr, "at least one connection and user, and at most %d requests on their way\n", ROOM / REQUEST);
    return 2;
  }
  connections = calloc(connection_count, sizeof *connections);
  poller = epoll_create1(0);
  if (connections == NULL || poller < 0) fail("epoll");
  for (int i = 0; i < connection_count; i++) open_connection(&connections[i], host, port);

  for (double end = now() + 10; !is_ready();) {
    turn(0);
    if (now() > end) {
      fprintf(stderr, "no WebSocket within ten seconds\n");
      return 1;
    }
  }
  double start = now();
  for (int i = 0; i < connection_count; i++) {
    struct connection *c = &connections[i];
    if (c->fd < 0) continue;
    while (c->in_flight < window) put_request(c);
    flush(c);
  }
  while (now() - start < seconds && lost < connection_count) turn(1);
  double took = now() - start;
  long in_time = ok;
  for (double end = now() + LAST_ANSWERS; unanswered() > 0 && now() < end && lost < connection_count;) turn(0);
  printf("%s %s:%d connections=%d W=%d K=%ld: 200s %.0f/s other %ld unanswered %ld lost %ld sent %ld\n", values[1],
         host, port, connection_count, window, user_count, in_time / took, other, unanswered(), lost, sent);
  return 0;
}
