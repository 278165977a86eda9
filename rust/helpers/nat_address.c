// SPDX-License-Identifier: GPL-2.0

#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/net_namespace.h>
#include <net/route.h>

/*
 * The address of @out with which @skb, an IPv4 packet with a route, is to be
 * sent; 0 if it has none. Under RCU.
 */
__be32 nf_rust_helper_masquerade_source4(const struct sk_buff *skb,
					 const struct net_device *out)
{
	__be32 address;

	address = inet_select_addr(out, rt_nexthop(skb_rtable(skb),
						   ip_hdr(skb)->daddr),
				   RT_SCOPE_UNIVERSE);
	if (!address)
		net_info_ratelimited("nf_nat: %s ate my IP address\n",
				     out->name);
	return address;
}

/*
 * The ordinary address of a device, if there is just one beside link-local ones, and
 * nothing speaks against it: this is then what RFC 6724 comes to for an ordinary
 * destination (by its rules 2, 3 and 5), without a look at every address of every
 * other device.
 */
static const struct in6_addr *only_address(const struct net_device *out)
{
	const u32 doubtful = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC |
			     IFA_F_DEPRECATED;
	const struct inet6_dev *idev = __in6_dev_get(out);
	const struct inet6_ifaddr *ifa, *only = NULL;

	if (!idev)
		return NULL;
	list_for_each_entry_rcu(ifa, &idev->addr_list, if_list) {
		int type = ipv6_addr_type(&ifa->addr);

		if (type == (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_UNICAST))
			continue;
		if (only || type != IPV6_ADDR_UNICAST ||
		    READ_ONCE(ifa->flags) & doubtful)
			return NULL;
		only = ifa;
	}
	return only ? &only->addr : NULL;
}

/* The same for IPv6; false if @out has none. Under RCU. */
bool nf_rust_helper_masquerade_source6(struct net *net,
				       const struct sk_buff *skb,
				       const struct net_device *out,
				       struct in6_addr *address)
{
	const struct in6_addr *only = NULL;

	if (ipv6_addr_type(&ipv6_hdr(skb)->daddr) == IPV6_ADDR_UNICAST)
		only = only_address(out);
	if (only) {
		*address = *only;
		return true;
	}
	return ipv6_dev_get_saddr(net, out, &ipv6_hdr(skb)->daddr, 0,
				  address) >= 0;
}

/* The first address of the device that @skb came in by, or 0. Under RCU. */
__be32 nf_rust_helper_redirect_address4(const struct sk_buff *skb)
{
	const struct in_ifaddr *ifa = NULL;
	const struct in_device *in_dev;

	in_dev = skb->dev ? __in_dev_get_rcu(skb->dev) : NULL;
	if (in_dev)
		ifa = rcu_dereference(in_dev->ifa_list);
	return ifa ? ifa->ifa_local : 0;
}

static bool is_usable(const struct inet6_ifaddr *ifa, unsigned int scope)
{
	unsigned int type = ipv6_addr_type(&ifa->addr);

	if (type & IPV6_ADDR_MAPPED)
		return false;
	if (ifa->flags & IFA_F_TENTATIVE && !(ifa->flags & IFA_F_OPTIMISTIC))
		return false;
	return !scope || scope & type & IPV6_ADDR_SCOPE_MASK;
}

/*
 * The first address of the device that @skb came in by that may be used and is
 * of the scope of the packet's destination; false if there is none. Under RCU.
 */
bool nf_rust_helper_redirect_address6(const struct sk_buff *skb,
				      struct in6_addr *address)
{
	unsigned int scope = ipv6_addr_scope(&ipv6_hdr(skb)->daddr);
	const struct inet6_ifaddr *ifa;
	struct inet6_dev *idev;
	bool found = false;

	idev = skb->dev ? __in6_dev_get(skb->dev) : NULL;
	if (!idev)
		return false;
	read_lock_bh(&idev->lock);
	list_for_each_entry(ifa, &idev->addr_list, if_list) {
		if (is_usable(ifa, scope)) {
			*address = ifa->addr;
			found = true;
			break;
		}
	}
	read_unlock_bh(&idev->lock);
	return found;
}

/* Devices and addresses that come and go. */

int nf_rust_helper_address_notifiers_register(struct notifier_block *device,
					      struct notifier_block *inet,
					      struct notifier_block *inet6)
{
	int error;

	error = register_netdevice_notifier(device);
	if (error)
		return error;
	error = register_inetaddr_notifier(inet);
	if (error)
		goto no_inet;
	error = register_inet6addr_notifier(inet6);
	if (error)
		goto no_inet6;
	return 0;
no_inet6:
	unregister_inetaddr_notifier(inet);
no_inet:
	unregister_netdevice_notifier(device);
	return error;
}

void nf_rust_helper_address_notifiers_unregister(struct notifier_block *device,
						 struct notifier_block *inet,
						 struct notifier_block *inet6)
{
	unregister_inet6addr_notifier(inet6);
	unregister_inetaddr_notifier(inet);
	unregister_netdevice_notifier(device);
}

/* The device that went down, by the arguments of a notifier; or null. */
const struct net_device *nf_rust_helper_notified_device(unsigned long event,
							void *info)
{
	return event == NETDEV_DOWN ? netdev_notifier_info_to_dev(info) : NULL;
}

/*
 * The device that lost the address in @address; null if it is not that, or the
 * device goes with all of its addresses.
 */
const struct net_device *nf_rust_helper_notified_inet(unsigned long event,
						      void *info,
						      __be32 *address)
{
	const struct in_ifaddr *ifa = info;

	if (event != NETDEV_DOWN || ifa->ifa_dev->dead)
		return NULL;
	*address = ifa->ifa_local;
	return ifa->ifa_dev->dev;
}

const struct net_device *
nf_rust_helper_notified_inet6(unsigned long event, void *info,
			      struct in6_addr *address)
{
	const struct inet6_ifaddr *ifa = info;

	if (event != NETDEV_DOWN)
		return NULL;
	*address = ifa->addr;
	return ifa->idev->dev;
}

struct net *nf_rust_helper_device_net(const struct net_device *dev)
{
	return dev_net(dev);
}

/* A reference to a namespace that does not end yet, or null. */
struct net *nf_rust_helper_net_try_get(struct net *net)
{
	return maybe_get_net(net);
}

void nf_rust_helper_net_put(struct net *net)
{
	put_net(net);
}

/* What was told by the notifiers and is still to be done. */
static DEFINE_SPINLOCK(gone_lock);
static DEFINE_MUTEX(masquerade_mutex);

void nf_rust_helper_gone_lock(void)
{
	spin_lock_bh(&gone_lock);
}

void nf_rust_helper_gone_unlock(void)
{
	spin_unlock_bh(&gone_lock);
}

void nf_rust_helper_masquerade_mutex_lock(void)
{
	mutex_lock(&masquerade_mutex);
}

void nf_rust_helper_masquerade_mutex_unlock(void)
{
	mutex_unlock(&masquerade_mutex);
}

void nf_rust_helper_work_init(struct work_struct *work, work_func_t func)
{
	INIT_WORK(work, func);
}

void nf_rust_helper_work_schedule(struct work_struct *work)
{
	queue_work(system_dfl_wq, work);
}

void nf_rust_helper_work_stop(struct work_struct *work)
{
	disable_work_sync(work);
}
