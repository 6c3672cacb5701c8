/* SPDX-License-Identifier: MIT */
/*
 * datagrams own|beside SEED COUNT STATE INTERFACE LOCAL REMOTE [NEIGHBOUR]
 *
 * Send datagrams to the port of probes at REMOTE, made from SEED and their number, up to
 * COUNT. The file STATE holds what was done: with one of the same seed, go on behind it.
 *
 *   own     have a session of one's own with the server REMOTE, which answers probes; send
 *           from its port, and from NEIGHBOUR, what does not belong to it, which must have
 *           no answer, and what does, with anything behind the token
 *   beside  between two programs that probe: learn their ports and datagrams on INTERFACE,
 *           and send with LOCAL's port what a sender without the token can, and what each
 *           has already said
 *
 * Print what is wrong, and at the end one line.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/random.h"
#include "base/text.h"
#include "netctl/probemsg.h"
#include "state.h"
#include "sync/client.h"

#define PORT         5000
#define SIZE_MAX_UDP 65507
#define HEAD         24 /* the bytes from magic to token */
#define BLOCK        1000
#define LEASE_MS     60000
#define ANSWER_MS    2000
#define TIMEOUT_MS   10000
/* A pause after so many keeps the queue of the receiver's socket short. */
#define BURST    20
#define PAUSE_US 16000
#define HEARD    64

struct tally {
	struct state state;
	uint64_t next;
	uint64_t bytes;
	uint64_t session;       /* datagrams that belong to the session */
	uint64_t session_bytes; /* sent, and below answered */
	uint64_t session_answered;
	uint64_t refused; /* by this host's kernel */
	uint64_t rounds;  /* valid ones, which were answered */
	uint64_t wrong;
};

/* A datagram that was said before. */
struct heard {
	unsigned char bytes[PROBEMSG_MAX];
	size_t size;
};

static struct tally *tally;
static uint64_t limit;
static uint64_t random_state;
static unsigned char bytes[sizeof(struct udphdr) + SIZE_MAX_UDP];
static unsigned char *const payload = bytes + sizeof(struct udphdr);
static unsigned char token[PROBEMSG_TOKEN];
static struct heard heard[HEARD];
static int heard_count;
static int ports[2]; /* LOCAL's and REMOTE's */

static int below(int bound)
{
	return (int)random_below(&random_state, (uint64_t)bound);
}

static void tell_wrong(const char *what, long long figure)
{
	tally->wrong++;
	printf("datagram %llu: %s: %lld\n", (unsigned long long)tally->next, what,
	       figure);
	fflush(stdout);
}

/* --- datagrams --- */

static void fill(size_t from, size_t size)
{
	for (size_t i = from; i < size; i++)
		payload[i] = (unsigned char)below(256);
}

/* Most are small: large ones take long, and end in the same check. */
static size_t choose_size(void)
{
	int kind = below(100);

	if (kind < 70)
		return (size_t)below(300);
	if (kind < 97)
		return (size_t)below(1500);
	return kind < 99 ? (size_t)below(SIZE_MAX_UDP + 1)
			 : (size_t)(SIZE_MAX_UDP - below(4));
}

static void make_list(struct probemsg_list *ret)
{
	ret->count = below(4);
	ret->copies = 1 + below(2);
	for (int i = 0; i < ret->count; i++)
		ret->sizes[i] = below(10) ? 256 + below(1300) : below(65536);
}

/* A valid datagram. */
static size_t make_valid(void)
{
	struct probemsg m = {
		.kind = (enum probemsg_kind)(1 + below(PROBEMSG_KIND_COUNT - 1)),
		.round = below(8) ? 1 + below(50) : below(65536),
		.size = 256 + below(1300),
		.number = below(256),
		.outer_mtu = below(65536),
		.unseen = below(2),
	};

	memcpy(m.token, token, PROBEMSG_TOKEN);
	make_list(&m.list[DIR_UPLOAD]);
	make_list(&m.list[DIR_DOWNLOAD]);
	for (int i = 0; i < m.list[0].count; i++) {
		m.fates[i] = (enum fate)below(FATE_COUNT);
		m.arrived[i] = below(256);
	}
	return probemsg_encode(&m, payload);
}

static void spoil_token(void)
{
	payload[8 + below(PROBEMSG_TOKEN)] ^= (unsigned char)(1 << below(8));
}

/* One that does not have the token, or not all of its head. */
static size_t make_foreign(void)
{
	size_t size = choose_size();
	size_t valid;

	switch (below(4)) {
	case 0:
		fill(0, size);
		return size;
	case 1:
		/* The padding of a probe. */
		valid = make_valid();
		if (size > valid)
			memset(payload + valid, 0, size - valid);
		spoil_token();
		return size > valid ? size : valid;
	case 2:
		make_valid();
		fill(HEAD, size);
		spoil_token();
		return size > HEAD ? size : HEAD;
	default:
		make_valid();
		return (size_t)below(HEAD);
	}
}

/* One that has the token, and anything behind it. */
static size_t make_member(void)
{
	size_t size = make_valid();

	switch (below(4)) {
	case 0:
		return HEAD + (size_t)below((int)(size - HEAD) + 1);
	case 1:
		fill(HEAD, HEAD + 60);
		return HEAD + (size_t)below(60);
	case 2:
		for (int i = 1 + below(4); i > 0; i--) {
			size_t at = (size_t)below((int)size);

			if (at < 8 || at >= HEAD)
				payload[at] = (unsigned char)below(256);
		}
		return size;
	default:
		return size;
	}
}

/* --- a session of one's own --- */

struct own {
	struct client *client;
	struct msg_opened opened;
	int fd;
	int neighbour_fd;
	int port;
};

static int open_socket(const char *local, const char *remote, int *ret_port)
{
	struct sockaddr_storage from;
	struct sockaddr_storage to;
	socklen_t size = sizeof(from);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int room = 1 << 20;

	address_parse(local, 0, &from);
	address_parse(remote, PORT, &to);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&from, address_size(&from)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, address_size(&to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&from, &size) < 0) {
		perror(local);
		exit(1);
	}
	*ret_port = ntohs(((struct sockaddr_in *)&from)->sin_port);
	return fd;
}

static void fail(const char *what, const struct err *err)
{
	fprintf(stderr, "datagrams: %s: %s\n", what, err->text);
	exit(1);
}

static void open_session(struct own *own)
{
	struct msg_open m = {
		.protocol = MSG_PROTOCOL,
		.lease_ms = LEASE_MS,
		.run = {.started_at_ms = clock_wall_ms(),
			.server_range = {1280, 1500, 20},
			.peer_range = {1280, 1500, 20},
			.passes = 1,
			.seed = 1},
	};
	struct err err = ERR_INIT;

	token_make(m.secret);
	uuid_make(m.run.uuid);
	text_copy(m.run.strategy, sizeof(m.run.strategy), STRATEGY_CHECK);
	if (client_open(own->client, &m, TIMEOUT_MS, &own->opened, &err) < 0)
		fail("no session", &err);
}

/* The server answers probes with a new token. */
static void begin_probes(struct own *own)
{
	struct msg_probe m = {.port = own->port, .reach = 1500};
	struct msg_probing probing;
	struct err err = ERR_INIT;

	for (int i = 0; i < PROBEMSG_TOKEN; i++)
		token[i] = (unsigned char)below(256);
	text_copy(m.session, sizeof(m.session), own->opened.session);
	for (size_t i = 0; i < PROBEMSG_TOKEN; i++)
		snprintf(m.token + 2 * i, 3, "%02x", token[i]);
	if (client_probe(own->client, &m, TIMEOUT_MS, &probing, &err) < 0)
		fail("no probes", &err);
}

/* Return the bytes that have come. */
static uint64_t drain(int fd, int wait_ms)
{
	static unsigned char answer[SIZE_MAX_UDP];
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	uint64_t sum = 0;

	while (poll(&polled, 1, wait_ms) > 0) {
		ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

		/* An empty one is an answer too. */
		sum += n >= 0 ? (uint64_t)n + 1 : 0;
	}
	return sum;
}

static void send_payload(int fd, size_t size)
{
	if (send(fd, payload, size, 0) < 0 && errno != ECONNREFUSED)
		tally->refused++;
	tally->next++;
	tally->bytes += size;
}

/* None of these may have an answer. */
static void send_foreign(struct own *own, int count)
{
	uint64_t answered = 0;

	for (int i = 0; i < count; i++) {
		bool neighbour = below(10) == 0;
		size_t size = neighbour ? make_member() : make_foreign();

		send_payload(neighbour ? own->neighbour_fd : own->fd, size);
		if (i % BURST == 0)
			answered += drain(own->fd, 0) + drain(own->neighbour_fd, 0);
	}
	answered += drain(own->fd, 20) + drain(own->neighbour_fd, 0);
	if (answered)
		tell_wrong("what is not of the session has an answer, in bytes",
			   (long long)answered);
}

static void send_members(struct own *own, int count)
{
	for (int i = 0; i < count; i++) {
		size_t size = make_member();

		send_payload(own->fd, size);
		tally->session++;
		tally->session_bytes += size;
		tally->session_answered += drain(own->fd, 0);
	}
}

/* A valid round: the server's report comes. */
static void check_round(struct own *own)
{
	struct probemsg m = {.kind = PROBEMSG_END, .round = 65000};
	int64_t until_ms = clock_boot_ms() + ANSWER_MS;
	struct pollfd polled = {.fd = own->fd, .events = POLLIN};
	unsigned char answer[PROBEMSG_MAX];
	ssize_t n;

	memcpy(m.token, token, PROBEMSG_TOKEN);
	while (clock_left_ms(until_ms) > 0) {
		send(own->fd, payload, probemsg_encode(&m, payload), 0);
		poll(&polled, 1, 100);
		while ((n = recv(own->fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
			struct probemsg got;

			if (probemsg_decode(answer, (size_t)n, token, &got) == 0 &&
			    got.kind == PROBEMSG_REPORT && got.round == m.round) {
				tally->rounds++;
				return;
			}
		}
	}
	tell_wrong("a valid round has no answer within ms", ANSWER_MS);
}

static void run_own(struct own *own, char **argv)
{
	struct client_config config = {.port = PORT, .stop_fd = -1};
	struct msg_close close = {.outcome = RUN_INTERRUPTED};
	struct err err = ERR_INIT;
	int any;

	text_copy(config.interface, sizeof(config.interface), argv[0]);
	text_copy(config.address, sizeof(config.address), argv[2]);
	own->fd = open_socket(argv[1], argv[2], &own->port);
	own->neighbour_fd = open_socket(argv[3], argv[2], &any);
	if (client_new(&config, &own->client, &err) < 0)
		fail("no client", &err);
	open_session(own);
	while (tally->next < limit) {
		random_state = tally->state.seed ^ tally->next << 16;
		begin_probes(own);
		send_foreign(own, BLOCK);
		check_round(own);
		begin_probes(own);
		send_members(own, BLOCK / 10);
		begin_probes(own);
		drain(own->fd, 50);
	}
	text_copy(close.session, sizeof(close.session), own->opened.session);
	if (client_close(own->client, &close, TIMEOUT_MS, &err) < 0)
		fail("no close", &err);
	client_free(own->client);
}

/* --- between two programs --- */

static int open_tap(const char *interface)
{
	struct sockaddr_ll name = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			htons(ETH_P_ALL));

	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		perror(interface);
		exit(1);
	}
	return fd;
}

static void note_heard(const unsigned char *data, size_t size, bool ours)
{
	struct heard *h = &heard[heard_count++ % HEARD];
	enum probemsg_kind kind = (enum probemsg_kind)data[5];

	memcpy(token, data + 8, PROBEMSG_TOKEN);
	/* Only its sender may repeat it; a probe would count as one more that arrived,
	 * and the last word would end the run. */
	if (!ours || kind == PROBEMSG_PROBE || kind == PROBEMSG_BYE ||
	    size > sizeof(h->bytes)) {
		heard_count--;
		return;
	}
	memcpy(h->bytes, data, size);
	h->size = size;
}

/* Look at the packets of the tunnel: IPv4 and UDP, of the port of probes. */
static void listen_in(int fd)
{
	unsigned char packet[2048];
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from,
			     &size)) > 0) {
		bool ours = from.sll_pkttype == PACKET_OUTGOING;
		const unsigned char *udp = packet + 20;
		int source = udp[0] << 8 | udp[1];
		int destination = udp[2] << 8 | udp[3];

		if (n < 28 + HEAD || packet[0] != 0x45 || packet[9] != IPPROTO_UDP ||
		    memcmp(udp + 8, "mtsp\1", 5) != 0 ||
		    (source != PORT && destination != PORT))
			continue;
		/* Not our own, whose checksum is 0. */
		if (ours && !udp[6] && !udp[7])
			continue;
		ports[0] = ours ? source : destination;
		ports[1] = ours ? destination : source;
		note_heard(udp + 8, (size_t)n - 28, ours);
	}
}

/* Without the token, or what LOCAL's program has said before, whole or cut. */
static size_t make_outsiders(void)
{
	const struct heard *h;

	if (!heard_count || below(4))
		return make_foreign();
	h = &heard[below(heard_count < HEARD ? heard_count : HEARD)];
	memcpy(payload, h->bytes, h->size);
	tally->session++;
	return below(2) ? h->size : (size_t)below((int)h->size);
}

static void send_spoofed(int fd, const struct sockaddr_storage *to, size_t size)
{
	struct udphdr header = {
		.source = htons((uint16_t)(ports[0] ? ports[0] : below(65536))),
		.dest = htons((uint16_t)(ports[1] ? ports[1] : PORT)),
		.len = htons((uint16_t)(size + sizeof(header))),
	};

	memcpy(bytes, &header, sizeof(header));
	if (sendto(fd, bytes, sizeof(header) + size, 0, (const struct sockaddr *)to,
		   sizeof(struct sockaddr_in)) < 0)
		tally->refused++;
	tally->next++;
	tally->bytes += size;
}

static void run_beside(char **argv)
{
	struct sockaddr_storage from;
	struct sockaddr_storage to;
	int tap = open_tap(argv[0]);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	address_parse(argv[1], 0, &from);
	address_parse(argv[2], 0, &to);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, address_size(&from)) < 0) {
		perror(argv[1]);
		exit(1);
	}
	random_state = tally->state.seed ^ tally->next << 16;
	while (tally->next < limit) {
		listen_in(tap);
		for (int i = 0; i < BURST; i++)
			send_spoofed(fd, &to, make_outsiders());
		clock_pause_us(PAUSE_US);
	}
	close(fd);
	close(tap);
}

int main(int argc, char **argv)
{
	bool own = argc == 9 && strcmp(argv[1], "own") == 0;
	struct own mine = {0};

	if (!own && (argc != 8 || strcmp(argv[1], "beside") != 0)) {
		fputs("usage: datagrams own|beside SEED COUNT STATE INTERFACE LOCAL "
		      "REMOTE [NEIGHBOUR]\n",
		      stderr);
		return 2;
	}
	limit = strtoull(argv[3], NULL, 10);
	tally = state_open(argv[4], sizeof(*tally), strtoull(argv[2], NULL, 10));
	if (own)
		run_own(&mine, argv + 5);
	else
		run_beside(argv + 5);
	printf("%s: %llu datagrams, %llu bytes, %llu not sent; of the session %llu, "
	       "%llu bytes, %llu answered; valid rounds %llu; wrong %llu\n",
	       argv[1], (unsigned long long)tally->next,
	       (unsigned long long)tally->bytes, (unsigned long long)tally->refused,
	       (unsigned long long)tally->session,
	       (unsigned long long)tally->session_bytes,
	       (unsigned long long)tally->session_answered,
	       (unsigned long long)tally->rounds, (unsigned long long)tally->wrong);
	return tally->wrong ? 1 : 0;
}
