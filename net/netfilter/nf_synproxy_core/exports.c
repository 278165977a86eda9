// SPDX-License-Identifier: GPL-2.0
/* What C imports; the functions are in abi.rs and abi/. */
#include <linux/export.h>
#include <linux/netfilter/nf_synproxy.h>
#include <net/netfilter/nf_synproxy.h>

/* By which C finds a namespace's struct synproxy_net. */
unsigned int synproxy_net_id;
EXPORT_SYMBOL_GPL(synproxy_net_id);

EXPORT_SYMBOL_GPL(ipv4_synproxy_hook);
EXPORT_SYMBOL_GPL(ipv6_synproxy_hook);
EXPORT_SYMBOL_GPL(nf_synproxy_ipv4_fini);
EXPORT_SYMBOL_GPL(nf_synproxy_ipv4_init);
EXPORT_SYMBOL_GPL(nf_synproxy_ipv6_fini);
EXPORT_SYMBOL_GPL(nf_synproxy_ipv6_init);
EXPORT_SYMBOL_GPL(synproxy_init_timestamp_cookie);
EXPORT_SYMBOL_GPL(synproxy_parse_options);
EXPORT_SYMBOL_GPL(synproxy_recv_client_ack);
EXPORT_SYMBOL_GPL(synproxy_recv_client_ack_ipv6);
EXPORT_SYMBOL_GPL(synproxy_send_client_synack);
EXPORT_SYMBOL_GPL(synproxy_send_client_synack_ipv6);
