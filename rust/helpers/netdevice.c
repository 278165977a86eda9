// SPDX-License-Identifier: GPL-2.0

#include <linux/netdevice.h>

void nf_rust_helper_synchronize_net(void)
{
	synchronize_net();
}

int nf_rust_helper_netdev_ifindex(const struct net_device *dev)
{
	return READ_ONCE(dev->ifindex);
}

bool nf_rust_helper_netif_is_loopback(const struct net_device *dev)
{
	return READ_ONCE(dev->flags) & IFF_LOOPBACK;
}
