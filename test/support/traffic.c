/* Makes and takes traffic for the network's tests and benchmark, with as little of its own as can be: one
 * thread, no allocation while it measures. It knows nothing of who carries the traffic.
 *
 *   serve PORT                     echoes what it gets, datagrams too; a connection that starts with 'S' is
 *                                  swallowed and its length answered at the end, one that starts with 'r' is
 *                                  closed after one answer; prints "ready" once it listens
 *   latency HOST PORT COUNT        median microseconds of a one-byte request and its answer
 *   rate HOST PORT SECONDS LANES   connections a second, each with one byte there and back; failed ones are told on
 *                                  standard error. The server closes first, or this side's ports would be used up
 *                                  by TIME-WAIT within seconds
 *   flood HOST PORT SECONDS        bytes a second into a swallowed connection
 *   hold HOST PORT COUNT           opens connections, a byte there and back on each, prints "ready", waits for
 *                                  the end of standard input
 *   datagram HOST PORT SIZE        one datagram there and back, compared; prints its size
 *   scan HOST FROM TO              connects to every port, 200 at a time; prints the open ones, and how many were
 *                                  refused and how many silent
 *   mangle HOST PORT COUNT         sends broken and random frames to the gateway from a packet socket on eth0 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char block[256 * 1024];
static struct sockaddr_in target;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int one(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  if (connect(fd, (struct sockaddr *)&target, sizeof target) != 0) fail("connect");
  return one(fd);
}

static void turn(int fd) {
  char byte = 'e';
  if (write(fd, &byte, 1) != 1) fail("write");
  if (read(fd, &byte, 1) != 1) fail("read");
}

struct peer {
  int fd;
  int swallows;
  int started;
  uint64_t count;
};

static void serve(int port) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, poller = epoll_create1(0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, 4096) != 0) fail("listen");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[64];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(datagrams, (struct sockaddr *)&any, sizeof any) != 0) fail("bind");
  event.data.ptr = &datagrams;
  epoll_ctl(poller, EPOLL_CTL_ADD, datagrams, &event);
  puts("ready");
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(poller, events, 64, -1);
    for (int index = 0; index < count; index += 1) {
      struct peer *peer = events[index].data.ptr;
      if (peer == NULL) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        peer = calloc(1, sizeof *peer);
        if (peer == NULL) fail("memory");
        peer->fd = one(fd);
        event = (struct epoll_event){.events = EPOLLIN, .data.ptr = peer};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        continue;
      }
      if ((void *)peer == &datagrams) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t size = recvfrom(datagrams, block, sizeof block, 0, (struct sockaddr *)&from, &length);
        if (size >= 0 && sendto(datagrams, block, (size_t)size, 0, (struct sockaddr *)&from, length) < 0) perror("sendto");
        continue;
      }
      ssize_t got = read(peer->fd, block, sizeof block);
      if (got > 0 && !peer->started) {
        peer->started = 1;
        peer->swallows = block[0] == 'S';
      }
      if (got > 0) {
        peer->count += (uint64_t)got;
        if (peer->swallows || (write(peer->fd, block, (size_t)got) == got && block[0] != 'r')) continue;
      }
      if (got == 0 && peer->swallows && write(peer->fd, &peer->count, 8) != 8) perror("write");
      close(peer->fd);
      free(peer);
    }
  }
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static void latency(int count) {
  double *times = calloc((size_t)count, sizeof *times);
  int fd = dial();
  for (int index = 0; index < 200; index += 1) turn(fd);
  for (int index = 0; index < count; index += 1) {
    double start = now();
    turn(fd);
    times[index] = (now() - start) * 1e6;
  }
  qsort(times, (size_t)count, sizeof *times, ascending);
  printf("%.3f\n", times[count / 2]);
}

/* Each lane is a connection that is opened, asks, is answered, and is opened anew. */
static void rate(double seconds, int lanes) {
  int poller = epoll_create1(0);
  struct epoll_event events[64];
  double start = now();
  long done = 0, lost = 0;
  int open = 0;
  char byte = 'r';
  while (now() - start < seconds || open > 0) {
    while (open < lanes && now() - start < seconds) {
      int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      if (fd < 0) fail("socket");
      if (connect(fd, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS) fail("connect");
      struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};
      epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
      open += 1;
    }
    int count = epoll_wait(poller, events, 64, 3000);
    if (count <= 0) {
      lost += open; /* the wait counts */
      break;
    }
    for (int index = 0; index < count; index += 1) {
      int fd = events[index].data.fd;
      if (events[index].events & EPOLLIN) {
        ssize_t got = read(fd, &byte, 1);
        if (got > 0) continue;
        close(fd);
        open -= 1;
        if (got < 0) lost += 1;
        else done += 1;
      } else {
        byte = 'r';
        if (write(one(fd), &byte, 1) != 1) {
          close(fd);
          open -= 1;
          lost += 1;
          continue;
        }
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event);
      }
    }
  }
  printf("%.1f\n", (double)done / (now() - start));
  if (lost > 0) fprintf(stderr, "%ld connections failed\n", lost);
}

static void flood(double seconds) {
  int fd = dial();
  uint64_t count = 0;
  double start = now();
  memset(block, 'S', sizeof block);
  while (now() - start < seconds)
    if (write(fd, block, 128 * 1024) <= 0) fail("write");
  shutdown(fd, SHUT_WR);
  if (recv(fd, &count, 8, MSG_WAITALL) != 8) fail("read");
  printf("%.0f\n", (double)count / (now() - start));
}

static void hold(int count) {
  for (int index = 0; index < count; index += 1) turn(dial());
  puts("ready");
  fflush(stdout);
  while (read(0, block, sizeof block) > 0) {
  }
}

static void datagram(int size) {
  static char back[sizeof block];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  for (int index = 0; index < size; index += 1) block[index] = (char)(index * 7 + index / 251);
  if (connect(fd, (struct sockaddr *)&target, sizeof target) != 0) fail("connect");
  if (send(fd, block, (size_t)size, 0) != size) fail("send");
  if (poll(&wait, 1, 3000) != 1) {
    fprintf(stderr, "no answer\n");
    exit(1);
  }
  ssize_t got = recv(fd, back, sizeof back, 0);
  if (got < 0) fail("recv");
  if (got != size || memcmp(block, back, (size_t)size) != 0) {
    fprintf(stderr, "another datagram came back: %zd bytes\n", got);
    exit(1);
  }
  printf("%zd\n", got);
}

static void scan(int from, int to) {
  enum { LANES = 200 };
  int refused = 0, silent = 0;
  for (int first = from; first <= to; first += LANES) {
    struct pollfd lanes[LANES];
    int count = to - first + 1 < LANES ? to - first + 1 : LANES, open = count;
    for (int lane = 0; lane < count; lane += 1) {
      target.sin_port = htons((uint16_t)(first + lane));
      lanes[lane] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .events = POLLOUT};
      if (lanes[lane].fd < 0) fail("socket");
      connect(lanes[lane].fd, (struct sockaddr *)&target, sizeof target);
    }
    while (open > 0 && poll(lanes, (nfds_t)count, 2500) > 0) {
      for (int lane = 0; lane < count; lane += 1) {
        if (lanes[lane].fd < 0 || lanes[lane].revents == 0) continue;
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(lanes[lane].fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error == 0) printf("%d ", first + lane);
        if (error != 0) refused += 1;
        close(lanes[lane].fd);
        lanes[lane].fd = -1;
        open -= 1;
      }
    }
    silent += open;
    for (int lane = 0; lane < count; lane += 1)
      if (lanes[lane].fd >= 0) close(lanes[lane].fd);
  }
  printf("refused %d silent %d\n", refused, silent);
}

/* The hardware address that the kernel learned when it sent a first datagram. */
static void learn_gateway(unsigned char *address) {
  char line[256];
  unsigned parts[6];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sendto(fd, "", 0, 0, (struct sockaddr *)&target, sizeof target);
  usleep(300000);
  FILE *table = fopen("/proc/net/arp", "r");
  if (table == NULL) fail("/proc/net/arp");
  while (fgets(line, sizeof line, table) != NULL) {
    if (sscanf(line, "%*s %*s %*s %x:%x:%x:%x:%x:%x", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5]) != 6) continue;
    for (int index = 0; index < 6; index += 1) address[index] = (unsigned char)parts[index];
    return;
  }
  fprintf(stderr, "no gateway is known\n");
  exit(1);
}

static void mangle(int count) {
  unsigned char gateway[6];
  int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), sent = 0;
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("eth0")};
  unsigned char frame[1600];
  if (fd < 0) fail("socket");
  srand(7);
  learn_gateway(gateway);
  for (int index = 0; index < count; index += 1) {
    int length = 14 + rand() % 90;
    for (int at = 0; at < length; at += 1) frame[at] = (unsigned char)rand();
    memcpy(frame, gateway, 6);
    frame[12] = index % 4 == 3 ? 0x86 : 0x08;
    frame[13] = index % 4 == 3 ? 0xdd : 0;
    if (index % 3 != 0) {
      frame[14] = index % 4 == 3 ? 0x60 : (unsigned char)(0x40 | (rand() % 16));
      frame[23] = (unsigned char)(index % 2 ? 6 : rand() % 2 ? 17 : 1);
      memcpy(frame + 30, &target.sin_addr, 4);
      frame[16] = 0;
      if (index % 5) frame[17] = (unsigned char)(length - 14);
      if (index % 2) frame[47] = 2;
    }
    if (sendto(fd, frame, (size_t)length, 0, (struct sockaddr *)&link, sizeof link) > 0) sent += 1;
  }
  printf("%d\n", sent);
}

int main(int argc, char **argv) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(atoi(argv[2]));
  if (argc < 5) {
    fprintf(stderr, "serve PORT | latency|rate|flood|hold|datagram|scan|mangle HOST PORT …\n");
    return 2;
  }
  target.sin_family = AF_INET;
  target.sin_port = htons((uint16_t)atoi(argv[3]));
  if (inet_pton(AF_INET, argv[2], &target.sin_addr) != 1) fail("address");
  if (strcmp(argv[1], "latency") == 0) latency(atoi(argv[4]));
  if (strcmp(argv[1], "rate") == 0 && argc == 6) rate(atof(argv[4]), atoi(argv[5]));
  if (strcmp(argv[1], "flood") == 0) flood(atof(argv[4]));
  if (strcmp(argv[1], "hold") == 0) hold(atoi(argv[4]));
  if (strcmp(argv[1], "datagram") == 0) datagram(atoi(argv[4]));
  if (strcmp(argv[1], "scan") == 0) scan(atoi(argv[3]), atoi(argv[4]));
  if (strcmp(argv[1], "mangle") == 0) mangle(atoi(argv[4]));
  return 0;
}
