// slow-wire DELAY LOSS NAME=ADDRESS…: the wire between the "hosts" of netns-hosts.mjs; few kernels have the netem of `tc`.
//
// It makes a network device (TUN) of each name, and hands each packet that one sends to the device that has its address,
// DELAY microseconds later; of all packets it loses the share LOSS, each time by the same draws. It says "ready" when the
// devices are there, which may then be moved to other network namespaces. A line "cut ADDRESS" has it lose whatever goes
// there or comes from there; it ends with its standard input, and says how many packets it had. Linux, IPv4.
#define _GNU_SOURCE // ppoll
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PORTS = 64, MOST_BYTES = 65536, PACKETS_AT_A_TIME = 64 };

struct port {
  uint32_t address;
  int cut;
};

/** A packet on its way. All are held for equally long, so that the first to come is the first to leave. */
struct packet {
  struct packet *next;
  uint64_t due;
  int to;
  size_t bytes;
  char content[];
};

static struct port ports[MOST_PORTS];
static struct pollfd polled[MOST_PORTS + 1]; // behind the ports: standard input
static int count;
static struct packet *first, **last = &first;
static unsigned long given, lost;

static uint64_t microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what) {
  fprintf(stderr, "slow-wire: %s: %s\n", what, strerror(errno));
  exit(2);
}

static int open_device(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) fail("/dev/net/tun");
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) < 0) fail(name);
  return fd;
}

static int port_of(uint32_t address) {
  for (int i = 0; i < count; i++)
    if (ports[i].address == address) return i;
  return -1;
}

/** Takes what a device has sent; what is for nobody here is lost, as are routers' questions of IPv6. */
static void take(int from, uint64_t delay, double loss) {
  static char content[MOST_BYTES];
  for (int i = 0; i < PACKETS_AT_A_TIME; i++) {
    ssize_t bytes = read(polled[from].fd, content, sizeof content);
    if (bytes < 20) return;
    uint32_t address;
    memcpy(&address, content + 16, 4);
    int to = content[0] >> 4 == 4 ? port_of(address) : -1;
    if (to < 0 || ports[from].cut || ports[to].cut) continue;
    given++;
    if (drand48() < loss) {
      lost++;
      continue;
    }
    struct packet *packet = malloc(sizeof *packet + bytes);
    if (packet == NULL) fail("a packet");
    *packet = (struct packet){.due = microseconds() + delay, .to = to, .bytes = bytes};
    memcpy(packet->content, content, bytes);
    *last = packet;
    last = &packet->next;
  }
}

/** Hands over what is due. */
static void deliver(void) {
  while (first != NULL && first->due <= microseconds()) {
    struct packet *packet = first;
    if (!ports[packet->to].cut) {
      // What the other end cannot take is lost, as on any wire.
      ssize_t taken = write(polled[packet->to].fd, packet->content, packet->bytes);
      (void)taken;
    }
    first = packet->next;
    if (first == NULL) last = &first;
    free(packet);
  }
}

static void obey(const char *line) {
  char address[64];
  struct in_addr parsed;
  if (sscanf(line, "cut %63s", address) != 1 || inet_pton(AF_INET, address, &parsed) != 1) return;
  int port = port_of(parsed.s_addr);
  if (port >= 0) ports[port].cut = 1;
}

int main(int argc, char **argv) {
  if (argc < 4 || argc - 3 > MOST_PORTS) {
    fprintf(stderr, "usage: slow-wire DELAY LOSS NAME=ADDRESS...\n");
    return 2;
  }
  uint64_t delay = strtoull(argv[1], NULL, 10);
  double loss = strtod(argv[2], NULL);
  for (; count < argc - 3; count++) {
    char *equals = strchr(argv[3 + count], '=');
    struct in_addr parsed;
    if (equals == NULL || inet_pton(AF_INET, equals + 1, &parsed) != 1) {
      fprintf(stderr, "slow-wire: expected NAME=ADDRESS, found %s\n", argv[3 + count]);
      return 2;
    }
    *equals = '\0';
    ports[count].address = parsed.s_addr;
    polled[count] = (struct pollfd){.fd = open_device(argv[3 + count]), .events = POLLIN};
  }
  polled[count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    struct timespec wait = {0};
    if (first != NULL) {
      uint64_t now = microseconds(), left = first->due > now ? first->due - now : 0;
      wait = (struct timespec){.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    }
    if (ppoll(polled, count + 1, first == NULL ? NULL : &wait, NULL) < 0 && errno != EINTR) fail("poll");
    deliver();
    for (int i = 0; i < count; i++) {
      if (polled[i].revents & POLLIN) take(i, delay, loss);
      if (polled[i].revents & POLLERR) polled[i].fd = -1; // its device is gone
    }
    if (polled[count].revents != 0) {
      char line[256];
      ssize_t bytes = read(STDIN_FILENO, line, sizeof line - 1);
      if (bytes <= 0) {
        fprintf(stderr, "The wire was given %lu packets and lost %lu\n", given, lost);
        return 0;
      }
      line[bytes] = '\0';
      obey(line);
    }
  }
}
