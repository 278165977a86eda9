// SPDX-License-Identifier: GPL-2.0
/* Rules as drivers get them: the kernel's flow rules. */
#include <linux/slab.h>
#include <net/flow_offload.h>
#include <net/ip_tunnels.h>
#include <net/lwtunnel.h>
#include <net/netfilter/rustynat_flow.h>

/* With room for actions, but none, and nothing to look for. Sleeps. */
struct nf_flow_rule *rustynat_flow_rule_alloc(unsigned int room)
{
	struct nf_flow_rule *rule = kzalloc_obj(*rule);

	if (!rule)
		return NULL;
	rule->rule = flow_rule_alloc(room);
	if (!rule->rule) {
		kfree(rule);
		return NULL;
	}
	rule->rule->match.dissector = &rule->match.dissector;
	rule->rule->match.key = &rule->match.key;
	rule->rule->match.mask = &rule->match.mask;
	rule->rule->action.num_entries = 0;
	return rule;
}

/* And the devices that it holds. */
void rustynat_flow_rule_free(struct nf_flow_rule *rule)
{
	const struct flow_action_entry *entry;
	int i;

	flow_action_for_each(i, entry, &rule->rule->action)
		if (entry->id == FLOW_ACTION_REDIRECT)
			dev_put(entry->dev);
	kfree(rule->rule);
	kfree(rule);
}

#define OFFERS(match, kind, field)                                     \
	((match)->dissector.offset[FLOW_DISSECTOR_KEY_##kind] =        \
		 offsetof(struct nf_flow_key, field))
#define USES(match, kind) \
	((match)->dissector.used_keys |= BIT_ULL(FLOW_DISSECTOR_KEY_##kind))

static void match_tag(struct flow_dissector_key_vlan *key,
		      struct flow_dissector_key_vlan *mask,
		      const struct rustynat_flow_tag *tag)
{
	key->vlan_id = tag->id;
	mask->vlan_id = VLAN_VID_MASK;
	key->vlan_tpid = tag->protocol;
	mask->vlan_tpid = cpu_to_be16(~0);
}

/* Packets that come have the ends the other way round. What is any, is not asked. */
static void match_tunnel(struct nf_flow_match *match,
			 const struct ip_tunnel_info *tunnel)
{
	struct nf_flow_key *key = &match->key, *mask = &match->mask;

	OFFERS(match, ENC_CONTROL, enc_control);
	USES(match, ENC_CONTROL);
	OFFERS(match, ENC_KEYID, enc_key_id);
	USES(match, ENC_KEYID);
	key->enc_key_id.keyid = tunnel_id_to_key32(tunnel->key.tun_id);
	mask->enc_key_id.keyid = cpu_to_be32(~0);
	if (ip_tunnel_info_af(tunnel) == AF_INET) {
		OFFERS(match, ENC_IPV4_ADDRS, enc_ipv4);
		USES(match, ENC_IPV4_ADDRS);
		key->enc_control.addr_type = FLOW_DISSECTOR_KEY_IPV4_ADDRS;
		key->enc_ipv4.src = tunnel->key.u.ipv4.dst;
		key->enc_ipv4.dst = tunnel->key.u.ipv4.src;
		if (key->enc_ipv4.src)
			mask->enc_ipv4.src = cpu_to_be32(~0);
		if (key->enc_ipv4.dst)
			mask->enc_ipv4.dst = cpu_to_be32(~0);
	} else {
		OFFERS(match, ENC_IPV6_ADDRS, enc_ipv6);
		USES(match, ENC_IPV6_ADDRS);
		key->enc_control.addr_type = FLOW_DISSECTOR_KEY_IPV6_ADDRS;
		key->enc_ipv6.src = tunnel->key.u.ipv6.dst;
		key->enc_ipv6.dst = tunnel->key.u.ipv6.src;
		if (!ipv6_addr_any(&key->enc_ipv6.src))
			memset(&mask->enc_ipv6.src, 0xff, 16);
		if (!ipv6_addr_any(&key->enc_ipv6.dst))
			memset(&mask->enc_ipv6.dst, 0xff, 16);
	}
}

/* Once. */
void rustynat_flow_rule_match(struct nf_flow_rule *rule,
			      const struct rustynat_flow_match *from)
{
	struct nf_flow_match *match = &rule->match;
	struct nf_flow_key *key = &match->key, *mask = &match->mask;

	OFFERS(match, META, meta);
	OFFERS(match, CONTROL, control);
	OFFERS(match, BASIC, basic);
	OFFERS(match, IPV4_ADDRS, ipv4);
	OFFERS(match, IPV6_ADDRS, ipv6);
	OFFERS(match, TCP, tcp);
	OFFERS(match, PORTS, tp);
	USES(match, META);
	USES(match, CONTROL);
	USES(match, BASIC);

	key->meta.ingress_ifindex = from->ifindex;
	mask->meta.ingress_ifindex = ~0;
	if (from->tunnel)
		match_tunnel(match, from->tunnel);
	if (from->tags[0].protocol) {
		OFFERS(match, VLAN, vlan);
		USES(match, VLAN);
		match_tag(&key->vlan, &mask->vlan, &from->tags[0]);
	}
	if (from->tags[1].protocol) {
		OFFERS(match, CVLAN, cvlan);
		USES(match, CVLAN);
		match_tag(&key->cvlan, &mask->cvlan, &from->tags[1]);
	}

	mask->control.addr_type = 0xffff;
	mask->basic.n_proto = cpu_to_be16(~0);
	if (from->ipv6) {
		USES(match, IPV6_ADDRS);
		key->control.addr_type = FLOW_DISSECTOR_KEY_IPV6_ADDRS;
		key->basic.n_proto = htons(ETH_P_IPV6);
		memcpy(&key->ipv6.src, from->source, 16);
		memcpy(&key->ipv6.dst, from->destination, 16);
		memset(&mask->ipv6, 0xff, sizeof(mask->ipv6));
	} else {
		USES(match, IPV4_ADDRS);
		key->control.addr_type = FLOW_DISSECTOR_KEY_IPV4_ADDRS;
		key->basic.n_proto = htons(ETH_P_IP);
		memcpy(&key->ipv4.src, from->source, 4);
		memcpy(&key->ipv4.dst, from->destination, 4);
		memset(&mask->ipv4, 0xff, sizeof(mask->ipv4));
	}
	key->basic.ip_proto = from->protocol;
	mask->basic.ip_proto = 0xff;
	if (from->has_ports) {
		USES(match, PORTS);
		key->tp.src = from->ports[0];
		key->tp.dst = from->ports[1];
		mask->tp.ports = cpu_to_be32(~0);
	}
	if (from->unset) {
		USES(match, TCP);
		mask->tcp.flags = from->unset;
	}
}

/* Adds an action; a redirection holds the device from then on. */
int rustynat_flow_rule_add(struct nf_flow_rule *rule, unsigned int room,
			   const struct rustynat_flow_action *from)
{
	struct flow_action *actions = &rule->rule->action;
	struct flow_action_entry *entry;

	if (actions->num_entries >= room)
		return -E2BIG;
	actions->num_entries++;
	entry = &actions->entries[actions->num_entries - 1];
	entry->id = from->id;
	switch (from->id) {
	case FLOW_ACTION_MANGLE:
		entry->mangle.htype = from->header;
		entry->mangle.offset = from->offset;
		memcpy(&entry->mangle.mask, from->keep, 4);
		memcpy(&entry->mangle.val, from->value, 4);
		break;
	case FLOW_ACTION_VLAN_PUSH:
		entry->vlan.vid = from->tag.id;
		entry->vlan.proto = from->tag.protocol;
		break;
	case FLOW_ACTION_PPPOE_PUSH:
		entry->pppoe.sid = from->tag.id;
		break;
	case FLOW_ACTION_TUNNEL_ENCAP:
		/* Drivers read it only. */
		entry->tunnel = (struct ip_tunnel_info *)from->tunnel;
		break;
	case FLOW_ACTION_CSUM:
		entry->csum_flags = from->checksums;
		break;
	case FLOW_ACTION_REDIRECT:
		entry->dev = from->dev;
		dev_hold(entry->dev);
		break;
	}
	return 0;
}

/*
 * The tunnel that a route puts packets in, NULL if none. An error: it does
 * something else to them.
 */
int rustynat_flow_tunnel(const struct dst_entry *dst,
			 const struct ip_tunnel_info **tunnel)
{
	struct lwtunnel_state *state = dst ? dst->lwtstate : NULL;

	*tunnel = NULL;
	if (!state)
		return 0;
	if (state->type != LWTUNNEL_ENCAP_IP &&
	    state->type != LWTUNNEL_ENCAP_IP6)
		return -EOPNOTSUPP;
	if (lwt_tun_info(state)->mode & IP_TUNNEL_INFO_TX)
		*tunnel = lwt_tun_info(state);
	return 0;
}

/* The device that tc says packets come in by. */
u32 rustynat_flow_ingress(const struct flow_offload_tuple *tuple)
{
	return tuple->xmit_type == FLOW_OFFLOAD_XMIT_TC ? tuple->tc.iifidx :
							  tuple->iifidx;
}

struct net_device *rustynat_flow_dev_get(struct net *net, int ifindex)
{
	return dev_get_by_index(net, ifindex);
}

void rustynat_flow_dev_put(struct net_device *dev)
{
	dev_put(dev);
}

void rustynat_flow_dev_address(const struct net_device *dev, u8 *address)
{
	memcpy(address, dev->dev_addr, ETH_ALEN);
}
