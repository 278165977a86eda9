// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that call what nf_conntrack, nf_nat and nf_flow_table offer to BPF, as
 * nf_conntrack_bpf.py asks them to. Those named refuse_* must not be loaded.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Of the kernel's types the members that are used: libbpf finds where they are. */
#define KERNEL __attribute__((preserve_access_index))

struct nf_conn {
	unsigned long status;
	__u32 timeout;
	__u32 mark;
} KERNEL;

struct flow_offload_tuple {
	int iifidx;
	__u16 mtu;
} KERNEL;

struct flow_offload_tuple_rhash {
	struct flow_offload_tuple tuple;
} KERNEL;

union nf_inet_addr {
	__u32 all[4];
};

enum manip___test { SRC___test, DST___test };

/* What goes beyond the kernel's is to be refused. */
struct bpf_ct_opts___test {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u16 ct_zone_id;
	__u8 ct_zone_dir;
	__u8 reserved[3];
	__u32 beyond;
};

struct bpf_flowtable_opts___test {
	__s32 error;
};

extern struct nf_conn *bpf_xdp_ct_alloc(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 len,
					struct bpf_ct_opts___test *opts, __u32 opts_len) __ksym;
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 len,
					 struct bpf_ct_opts___test *opts, __u32 opts_len) __ksym;
extern struct nf_conn *bpf_skb_ct_alloc(struct __sk_buff *ctx, struct bpf_sock_tuple *tuple, __u32 len,
					struct bpf_ct_opts___test *opts, __u32 opts_len) __ksym;
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *ctx, struct bpf_sock_tuple *tuple, __u32 len,
					 struct bpf_ct_opts___test *opts, __u32 opts_len) __ksym;
extern struct nf_conn *bpf_ct_insert_entry(struct nf_conn *ct) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;
extern void bpf_ct_set_timeout(struct nf_conn *ct, __u32 timeout) __ksym;
extern int bpf_ct_change_timeout(struct nf_conn *ct, __u32 timeout) __ksym;
extern int bpf_ct_set_status(const struct nf_conn *ct, __u32 status) __ksym;
extern int bpf_ct_change_status(struct nf_conn *ct, __u32 status) __ksym;
extern int bpf_ct_set_nat_info(struct nf_conn *ct, union nf_inet_addr *addr, int port,
			       enum manip___test manip) __ksym;
extern struct flow_offload_tuple_rhash *
bpf_xdp_flow_lookup(struct xdp_md *ctx, struct bpf_fib_lookup *tuple,
		    struct bpf_flowtable_opts___test *opts, __u32 opts_len) __ksym;

/* What to do with a connection. */
enum {
	MARK = 1,
	TIMEOUT = 2,
	STATUS = 4,
	SOURCE = 8,
	DESTINATION = 16,
};

/* As the struct formats in nf_conntrack_bpf.py. */
struct request {
	__u32 tuple_len;
	__u32 opts_len;
	__u32 flags;
	__u32 mark;
	__u32 timeout;
	__u32 status;
	__u32 source[4];
	__u32 destination[4];
	__s32 source_port;
	__s32 destination_port;
	struct bpf_ct_opts___test opts;
	__u8 tuple[40];
};

struct answer {
	__u32 found;
	__s32 error;
	__u32 dir;
	__u32 zone_dir;
	__u32 status;
	__u32 mark;
	__s32 left;	/* jiffies */
	__s32 timeout;
	__s32 set_status;
	__s32 source;
	__s32 destination;
	__u32 inserted;
};

struct flow {
	__u32 packets;
	__u32 hits;
	__s32 error;
	__s32 iif;
	__u32 mtu;
	__s32 short_error;
	__s32 family_error;
};

struct state {
	struct request request;
	struct answer answer;
	struct flow flow;
} state;

struct given {
	struct bpf_ct_opts___test opts;
	struct bpf_sock_tuple tuple;
	__u32 beyond;
};

#define NEITHER_TOO_LONG                                        \
	struct request *req = &state.request;                   \
	struct answer *ans = &state.answer;                     \
	struct given given = { .opts = req->opts };             \
	struct nf_conn *ct;                                     \
	__u32 len = req->tuple_len, opts_len = req->opts_len;   \
								\
	__builtin_memcpy(&given.tuple, req->tuple, 40);         \
	if (len > 40 || opts_len > 20)                          \
		return 1

#define TOLD                                                    \
	(ans->error = given.opts.error, ans->dir = given.opts.dir, \
	 ans->zone_dir = given.opts.ct_zone_dir)

static __always_inline void show(struct nf_conn *ct)
{
	struct answer *ans = &state.answer;

	ans->found = 1;
	ans->status = ct->status;
	ans->mark = ct->mark;
	ans->left = ct->timeout - (__u32)bpf_jiffies64();
}

#define LOOKUP(name, where, type, lookup, all)                  \
SEC(where) int name(struct type *ctx)                           \
{                                                               \
	NEITHER_TOO_LONG;                                       \
	ct = lookup(ctx, &given.tuple, len, &given.opts, opts_len); \
	TOLD;                                                   \
	if (!ct)                                                \
		return 0;                                       \
	if (all && req->flags & MARK)                           \
		ct->mark = req->mark;                           \
	if (req->flags & TIMEOUT)                               \
		ans->timeout = bpf_ct_change_timeout(ct, req->timeout); \
	if (req->flags & STATUS)                                \
		ans->set_status = bpf_ct_change_status(ct, req->status); \
	show(ct);                                               \
	bpf_ct_release(ct);                                     \
	return 0;                                               \
}

/* _all: what Debian's stock modules do not allow, with their copies of the types. */
LOOKUP(xdp_lookup, "?xdp", xdp_md, bpf_xdp_ct_lookup, 0)
LOOKUP(tc_lookup, "?tc", __sk_buff, bpf_skb_ct_lookup, 0)
LOOKUP(xdp_lookup_all, "?xdp", xdp_md, bpf_xdp_ct_lookup, 1)
LOOKUP(tc_lookup_all, "?tc", __sk_buff, bpf_skb_ct_lookup, 1)

#define MAKE(name, where, type, alloc, all)                     \
SEC(where) int name(struct type *ctx)                           \
{                                                               \
	union nf_inet_addr addr;                                \
								\
	NEITHER_TOO_LONG;                                       \
	ct = alloc(ctx, &given.tuple, len, &given.opts, opts_len); \
	TOLD;                                                   \
	if (!ct)                                                \
		return 0;                                       \
	ans->found = 1;                                         \
	if (all && req->flags & MARK)                           \
		ct->mark = req->mark;                           \
	if (req->flags & TIMEOUT)                               \
		bpf_ct_set_timeout(ct, req->timeout);           \
	if (req->flags & STATUS)                                \
		ans->set_status = bpf_ct_set_status(ct, req->status); \
	if (all && req->flags & SOURCE) {                       \
		__builtin_memcpy(&addr, req->source, 16);       \
		ans->source = bpf_ct_set_nat_info(ct, &addr, req->source_port, SRC___test); \
	}                                                       \
	if (all && req->flags & DESTINATION) {                  \
		__builtin_memcpy(&addr, req->destination, 16);  \
		ans->destination =                              \
			bpf_ct_set_nat_info(ct, &addr, req->destination_port, DST___test); \
	}                                                       \
	ct = bpf_ct_insert_entry(ct);                           \
	if (!ct)                                                \
		return 0;                                       \
	ans->inserted = 1;                                      \
	show(ct);                                               \
	bpf_ct_release(ct);                                     \
	return 0;                                               \
}

MAKE(xdp_make, "?xdp", xdp_md, bpf_xdp_ct_alloc, 0)
MAKE(tc_make, "?tc", __sk_buff, bpf_skb_ct_alloc, 0)
MAKE(xdp_make_all, "?xdp", xdp_md, bpf_xdp_ct_alloc, 1)
MAKE(tc_make_all, "?tc", __sk_buff, bpf_skb_ct_alloc, 1)

/* Looks the flow of a packet up: UDP without options. */
SEC("?xdp") int flow(struct xdp_md *ctx)
{
	struct bpf_flowtable_opts___test opts = {};
	struct bpf_fib_lookup tuple = { .ifindex = ctx->ingress_ifindex };
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct flow_offload_tuple_rhash *entry;
	struct flow *flow = &state.flow;
	__u8 *ip = data + 14;
	__be16 *ports;

	if (data + 14 + 20 + 8 > end)
		return XDP_PASS;
	if (ip[0] == 0x45 && ip[9] == 17) {
		tuple.family = 2;
		tuple.ipv4_src = *(__be32 *)(ip + 12);
		tuple.ipv4_dst = *(__be32 *)(ip + 16);
		ports = (__be16 *)(ip + 20);
	} else if (data + 14 + 40 + 8 <= end && ip[0] >> 4 == 6 && ip[6] == 17) {
		tuple.family = 10;
		__builtin_memcpy(tuple.ipv6_src, ip + 8, 16);
		__builtin_memcpy(tuple.ipv6_dst, ip + 24, 16);
		ports = (__be16 *)(ip + 40);
	} else {
		return XDP_PASS;
	}
	tuple.l4_protocol = 17;
	tuple.sport = ports[0];
	tuple.dport = ports[1];
	flow->packets++;
	entry = bpf_xdp_flow_lookup(ctx, &tuple, &opts, sizeof(opts));
	if (entry) {
		flow->hits++;
		flow->iif = entry->tuple.iifidx;
		flow->mtu = entry->tuple.mtu;
	} else {
		flow->error = opts.error;
	}
	bpf_xdp_flow_lookup(ctx, &tuple, &opts, 3);
	flow->short_error = opts.error;
	tuple.family = 7;
	bpf_xdp_flow_lookup(ctx, &tuple, &opts, sizeof(opts));
	flow->family_error = opts.error;
	return XDP_PASS;
}

/* What the verifier has to see. */

static __always_inline void insert(struct nf_conn *ct)
{
	ct = bpf_ct_insert_entry(ct);
	if (ct)
		bpf_ct_release(ct);
}

#define FOUND                                                   \
	struct bpf_ct_opts___test opts = { .netns_id = -1, .l4proto = 6 }; \
	struct bpf_sock_tuple tuple = {};                       \
	struct nf_conn *ct = bpf_skb_ct_lookup(ctx, &tuple, 12, &opts, 16)

#define MADE                                                    \
	struct bpf_ct_opts___test opts = { .netns_id = -1, .l4proto = 6 }; \
	struct bpf_sock_tuple tuple = {};                       \
	struct nf_conn *ct = bpf_skb_ct_alloc(ctx, &tuple, 12, &opts, 16)

#define REFUSE(name, what, ...)                                 \
SEC("?tc") int refuse_##name(struct __sk_buff *ctx)             \
{                                                               \
	what;                                                   \
	if (!ct)                                                \
		return 0;                                       \
	__VA_ARGS__;                                            \
	return 0;                                               \
}

REFUSE(leak, FOUND)
REFUSE(leak_made, MADE)
REFUSE(release_made, MADE, bpf_ct_release(ct))
REFUSE(insert_found, FOUND, insert(ct))
REFUSE(set_timeout_found, FOUND, bpf_ct_set_timeout(ct, 1); bpf_ct_release(ct))
REFUSE(set_status_found, FOUND, bpf_ct_set_status(ct, 1); bpf_ct_release(ct))
REFUSE(change_timeout_made, MADE, bpf_ct_change_timeout(ct, 1); insert(ct))
REFUSE(change_status_made, MADE, bpf_ct_change_status(ct, 1); insert(ct))
REFUSE(write_status, FOUND, ct->status = 1; bpf_ct_release(ct))
REFUSE(write_status_made, MADE, ct->status = 1; insert(ct))
REFUSE(nat_found, FOUND, union nf_inet_addr addr = {}; bpf_ct_set_nat_info(ct, &addr, 1, SRC___test);
       bpf_ct_release(ct))
REFUSE(write_more, FOUND,
       *(volatile __u64 *)((void *)ct + bpf_core_field_offset(struct nf_conn, mark)) = 1;
       bpf_ct_release(ct))

SEC("?tc") int refuse_null(struct __sk_buff *ctx)
{
	FOUND;

	bpf_ct_release(ct);
	return 0;
}

SEC("?tc") int refuse_no_tuple(struct __sk_buff *ctx)
{
	struct bpf_ct_opts___test opts = {};
	struct nf_conn *ct = bpf_skb_ct_lookup(ctx, NULL, 12, &opts, 16);

	if (ct)
		bpf_ct_release(ct);
	return 0;
}

SEC("?xdp") int refuse_skb_at_xdp(struct xdp_md *ctx)
{
	struct bpf_ct_opts___test opts = {};
	struct bpf_sock_tuple tuple = {};
	struct nf_conn *ct = bpf_skb_ct_lookup((void *)ctx, &tuple, 12, &opts, 16);

	if (ct)
		bpf_ct_release(ct);
	return 0;
}

SEC("?tc") int refuse_flow_at_tc(struct __sk_buff *ctx)
{
	struct bpf_flowtable_opts___test opts = {};
	struct bpf_fib_lookup tuple = {};

	bpf_xdp_flow_lookup((void *)ctx, &tuple, &opts, sizeof(opts));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
