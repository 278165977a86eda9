// SPDX-License-Identifier: GPL-2.0
/*
 * nf_synproxy.c: a flood of SYNs from spoofed addresses, for nf_synproxy.sh.
 *
 * Usage: nf_synproxy DESTINATION PORT NUMBER, IPv4. The sources are in
 * 198.18.0.0/15, each used once a port.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
	unsigned char options[4];
};

static unsigned int sum(const void *data, size_t len, unsigned int sum)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static unsigned short fold(unsigned int sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void build(struct segment *s, unsigned int i, struct in_addr to,
		  unsigned short port)
{
	memset(s, 0, sizeof(*s));
	s->ip.version = 4;
	s->ip.ihl = 5;
	s->ip.tot_len = htons(sizeof(*s));
	s->ip.ttl = 64;
	s->ip.protocol = IPPROTO_TCP;
	s->ip.saddr = htonl(0xc6120000 | (i & 0x1ffff));
	s->ip.daddr = to.s_addr;
	s->tcp.source = htons(1024 + (i >> 17));
	s->tcp.dest = htons(port);
	s->tcp.seq = htonl(i * 2654435761u);
	s->tcp.doff = (sizeof(s->tcp) + sizeof(s->options)) / 4;
	s->tcp.syn = 1;
	s->tcp.window = htons(64240);
	memcpy(s->options, "\x02\x04\x05\xb4", 4);
	s->tcp.check = fold(sum(&s->ip.saddr, 8,
				sum(&s->tcp, sizeof(s->tcp) + 4,
				    IPPROTO_TCP + sizeof(s->tcp) + 4)));
}

int main(int argc, char **argv)
{
	static struct segment segments[BATCH];
	struct mmsghdr messages[BATCH] = {};
	struct iovec vectors[BATCH];
	struct sockaddr_in to = { .sin_family = AF_INET };
	unsigned int number, sent = 0;
	int fd;

	if (argc != 4 || !inet_aton(argv[1], &to.sin_addr))
		return 2;
	number = strtoul(argv[3], NULL, 10);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0) {
		perror("socket");
		return 1;
	}
	while (sent < number) {
		unsigned int n = number - sent < BATCH ? number - sent : BATCH;
		int done;

		for (unsigned int i = 0; i < n; i++) {
			build(&segments[i], sent + i, to.sin_addr,
			      atoi(argv[2]));
			vectors[i].iov_base = &segments[i];
			vectors[i].iov_len = sizeof(segments[i]);
			messages[i].msg_hdr.msg_iov = &vectors[i];
			messages[i].msg_hdr.msg_iovlen = 1;
			messages[i].msg_hdr.msg_name = &to;
			messages[i].msg_hdr.msg_namelen = sizeof(to);
		}
		done = sendmmsg(fd, messages, n, 0);
		if (done < 0) {
			perror("sendmmsg");
			return 1;
		}
		sent += done;
	}
	printf("%u\n", sent);
	return 0;
}
