/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_FLOW_H
#define _RUSTYNAT_FLOW_H
/*
 * The flowtable's C: what the kernel offers as inline functions or macros only.
 * All that takes a packet runs under RCU, at a device's ingress.
 */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/dst.h>
#include <net/netfilter/nf_flow_table.h>
#include <net/netfilter/nf_tables.h>

struct rustynat_flow_work;

/* A flow, and what else we know of it. */
struct rustynat_flow {
	struct flow_offload flow;
	/* By direction: the hash of its key, and by how much checksums change. */
	u32 hash[2];
	u32 sums[2];
	/* What is asked of hardware; of tables that want it. */
	struct rustynat_flow_work *work;
};

/* What is asked of hardware about a flow; one thing at a time. */
enum rustynat_flow_command {
	RUSTYNAT_FLOW_ADD,
	RUSTYNAT_FLOW_DESTROY,
	RUSTYNAT_FLOW_STATS,
	RUSTYNAT_FLOW_COMMANDS,
};

struct rustynat_flow_work {
	struct work_struct work;
	struct nf_flowtable *table;
	struct flow_offload *flow;
	u32 command;
};

struct rustynat_flow_tag {
	u16 id;
	/* Zero: there is none. */
	__be16 protocol;
};

/* Which packets a rule is for. */
struct rustynat_flow_match {
	u32 source[4];
	u32 destination[4];
	struct rustynat_flow_tag tags[2];
	/* Of a tunnel that packets come in; NULL if they do not. */
	const struct ip_tunnel_info *tunnel;
	int ifindex;
	__be16 ports[2];
	__be16 unset;
	u8 protocol;
	bool ipv6;
	bool has_ports;
};

/* An action of a rule: enum flow_action_id, and what of the rest it has. */
struct rustynat_flow_action {
	u32 id;
	u32 header;
	u32 offset;
	u8 keep[4];
	u8 value[4];
	u32 checksums;
	struct rustynat_flow_tag tag;
	const struct ip_tunnel_info *tunnel;
	struct net_device *dev;
};

/* Where packets of a direction go, as a tuple has it behind its route. */
struct rustynat_flow_out {
	u32 ifindex;
	u8 source[ETH_ALEN];
	u8 destination[ETH_ALEN];
};

enum rustynat_flow_limit {
	RUSTYNAT_FLOW_STEPS = NET_DEVICE_PATH_STACK_MAX,
};

/* A device on the way down from a route. */
struct rustynat_flow_step {
	int ifindex;
	u32 type;
	u32 vlan_mode;
	u16 id;
	__be16 proto;
	u8 address[ETH_ALEN];
	u8 peer[ETH_ALEN];
	u32 tunnel_source[4];
	u32 tunnel_destination[4];
	u8 tunnel_proto;
};

struct rustynat_flow_key {
	const struct flow_offload_tuple *tuple;
	u32 hash;
};

/* The table. */
int rustynat_flow_table_init(struct nf_flowtable *table);
void rustynat_flow_table_gc_later(struct nf_flowtable *table);
void rustynat_flow_table_gc_stop(struct nf_flowtable *table);
void rustynat_flow_table_gc_flush(struct nf_flowtable *table);
void rustynat_flow_table_destroy(struct nf_flowtable *table);
struct flow_offload_tuple_rhash *
rustynat_flow_find(struct nf_flowtable *table,
		   const struct rustynat_flow_key *key);
int rustynat_flow_insert(struct nf_flowtable *table,
			 struct flow_offload_tuple_rhash *entry);
void rustynat_flow_remove(struct nf_flowtable *table,
			  struct flow_offload_tuple_rhash *entry);
void rustynat_flow_walk(struct nf_flowtable *table,
			void (*visit)(struct nf_flowtable *table,
				      struct flow_offload *flow, void *data),
			void *data);
/* In Rust: what the work does. */
void rustynat_flow_table_gc(struct nf_flowtable *table);

/* All tables. */
void rustynat_flow_tables_add(struct nf_flowtable *table);
void rustynat_flow_tables_remove(struct nf_flowtable *table);
void rustynat_flow_tables_each(void (*visit)(struct nf_flowtable *table,
					     struct net_device *dev),
			       struct net_device *dev);

int rustynat_flow_notifier_register(void);
void rustynat_flow_notifier_unregister(void);
/* In Rust: flows know the MTU that their devices had. */
void rustynat_flow_mtu_changed(struct net_device *dev);

/* Flows. */
int rustynat_flow_cache_init(void);
void rustynat_flow_cache_exit(void);
struct rustynat_flow *rustynat_flow_alloc(void);
void rustynat_flow_free_later(struct flow_offload *flow);
/* In Rust: the connection's reference is given back. */
void rustynat_flow_put_conn(struct nf_conn *ct);

/* Routes. */
u32 rustynat_flow_mtu(const struct dst_entry *dst, bool ipv6);
u32 rustynat_flow_cookie(const struct dst_entry *dst);
bool rustynat_flow_dst_valid(struct dst_entry *dst, u32 cookie);
bool rustynat_flow_dst_is_xfrm(const struct dst_entry *dst);
bool rustynat_flow_dst_hold(struct dst_entry *dst);
void rustynat_flow_dst_release(struct dst_entry *dst);
struct net_device *rustynat_flow_device(struct net *net, struct dst_entry *dst,
					int ifindex);
struct neighbour *rustynat_flow_hop(struct net *net,
				    const struct flow_offload_tuple *side,
				    const struct flow_offload_tuple *answer,
				    struct net_device **out);
struct dst_entry *rustynat_flow_route(const struct nft_pktinfo *pkt,
				      const struct in6_addr *daddr,
				      const struct in6_addr *saddr, int oif,
				      int iif);
int rustynat_flow_dst_ifindex(const struct dst_entry *dst);
struct dst_entry *rustynat_flow_packet_dst(const struct sk_buff *skb);
struct net *rustynat_flow_device_net(const struct net_device *dev);
bool rustynat_flow_is_ethernet(const struct dst_entry *dst);
bool rustynat_flow_hardware_address(struct dst_entry *dst,
				    const struct in6_addr *address, u8 *ha);
int rustynat_flow_steps(struct dst_entry *dst, const u8 *ha,
			struct rustynat_flow_step *steps);
bool rustynat_flow_has_device(struct nft_flowtable *table, int ifindex);

bool rustynat_flow_is_direct(struct nft_flowtable *table,
			     const struct dst_entry *dst, int ifindex);

/* A namespace's counters of what is asked of hardware. */
struct rustynat_flow_net {
	struct nf_flow_table_stat __percpu *stat;
};

extern unsigned int rustynat_flow_net_id;

/* Hardware. */
int rustynat_flow_hardware_init(void);
void rustynat_flow_hardware_exit(void);
int rustynat_flow_block(struct nf_flowtable *table, struct net_device *dev,
			enum flow_block_command command);
/* In Rust: a driver goes; what it has of the table's flows is withdrawn. */
void rustynat_flow_withdraw(struct nf_flowtable *table);
bool rustynat_flow_has_drivers(const struct nf_flowtable *table);
bool rustynat_flow_work_alloc(struct rustynat_flow *flow);
void rustynat_flow_work_queue(struct nf_flowtable *table,
			      struct rustynat_flow *flow, u32 command);
void rustynat_flow_work_flush(void);
void rustynat_flow_wait_for_packets(void);
/* In Rust: what is to be done. The last that knows of the flow. */
void rustynat_flow_work_run(struct nf_flowtable *table,
			    struct flow_offload *flow, u32 command);
void rustynat_flow_count(struct net *net, u32 command, int by);
int rustynat_flow_counts_init(struct net *net);
void rustynat_flow_counts_end(struct net *net);
void rustynat_flow_counts_exit(struct net *net);
int rustynat_flow_counted(struct net *net, unsigned int cpu, u32 command);
int rustynat_flow_ask(struct nf_flowtable *table,
		      const struct flow_offload_tuple *tuple,
		      enum flow_cls_command command, struct nf_flow_rule *rule,
		      struct flow_stats *stats);

/* Rules for it. */
struct nf_flow_rule *rustynat_flow_rule_alloc(unsigned int room);
void rustynat_flow_rule_free(struct nf_flow_rule *rule);
void rustynat_flow_rule_match(struct nf_flow_rule *rule,
			      const struct rustynat_flow_match *match);
int rustynat_flow_rule_add(struct nf_flow_rule *rule, unsigned int room,
			   const struct rustynat_flow_action *action);
int rustynat_flow_tunnel(const struct dst_entry *dst,
			 const struct ip_tunnel_info **tunnel);
u32 rustynat_flow_ingress(const struct flow_offload_tuple *tuple);
struct net_device *rustynat_flow_dev_get(struct net *net, int ifindex);
void rustynat_flow_dev_put(struct net_device *dev);
void rustynat_flow_dev_address(const struct net_device *dev, u8 *address);

/* Packets. */
bool rustynat_flow_fits(const struct sk_buff *skb, unsigned int mtu);
bool rustynat_flow_allowed(struct sk_buff *skb, bool ipv6, unsigned int outer,
			   unsigned int inner);
bool rustynat_flow_trim(struct sk_buff *skb, unsigned int len);
bool rustynat_flow_pop(struct sk_buff *skb, unsigned int encap,
		       unsigned int tunnel, __be16 protocol);
bool rustynat_flow_push_vlan(struct sk_buff *skb, __be16 proto, u16 tci,
			     const struct net_device *dev);
u8 *rustynat_flow_push_pppoe(struct sk_buff *skb, const struct net_device *dev);
u8 *rustynat_flow_push_tunnel(struct sk_buff *skb, struct dst_entry *dst,
			      bool ipv6);
u16 rustynat_flow_ip_id(struct net *net, const struct sk_buff *skb,
			__be32 saddr, __be32 daddr);
bool rustynat_flow_mtu_locked(const struct dst_entry *dst);
u32 rustynat_flow_label(struct net *net, struct sk_buff *skb,
			const struct in6_addr *saddr,
			const struct in6_addr *daddr);
struct sk_buff *rustynat_flow_segment(struct sk_buff *skb);
struct sk_buff *rustynat_flow_next_segment(struct sk_buff *skb);
void rustynat_flow_drop(struct sk_buff *skb);
void rustynat_flow_output(struct sk_buff *skb, struct dst_entry *dst,
			  struct net_device *dev, struct neighbour *neigh,
			  bool encapsulated);
void rustynat_flow_xmit(struct sk_buff *skb, struct net_device *dev,
			const void *destination, const void *source);
void rustynat_flow_xfrm(const struct nf_hook_state *state, struct sk_buff *skb,
			struct dst_entry *dst, bool ipv6);

#endif
