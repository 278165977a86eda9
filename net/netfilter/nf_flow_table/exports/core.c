// SPDX-License-Identifier: GPL-2.0
/* What other modules import, defined in abi/. */
#include <linux/export.h>
#include <net/netfilter/nf_flow_table.h>

EXPORT_SYMBOL_GPL(flow_offload_add);
EXPORT_SYMBOL_GPL(flow_offload_alloc);
EXPORT_SYMBOL_GPL(flow_offload_free);
EXPORT_SYMBOL_GPL(flow_offload_lookup);
EXPORT_SYMBOL_GPL(flow_offload_refresh);
EXPORT_SYMBOL_GPL(flow_offload_route_init);
EXPORT_SYMBOL_GPL(flow_offload_teardown);
EXPORT_SYMBOL_GPL(nf_flow_dnat_port);
EXPORT_SYMBOL_GPL(nf_flow_offload_ip_hook);
EXPORT_SYMBOL_GPL(nf_flow_offload_ipv6_hook);
EXPORT_SYMBOL_GPL(nf_flow_rule_route_ipv4);
EXPORT_SYMBOL_GPL(nf_flow_rule_route_ipv6);
EXPORT_SYMBOL_GPL(nf_flow_snat_port);
EXPORT_SYMBOL_GPL(nf_flow_table_cleanup);
EXPORT_SYMBOL_GPL(nf_flow_table_free);
EXPORT_SYMBOL_GPL(nf_flow_table_init);
EXPORT_SYMBOL_GPL(nf_flow_table_offload_setup);
EXPORT_SYMBOL_GPL(nft_flow_route);
