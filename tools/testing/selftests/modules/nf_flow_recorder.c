// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for tests, of hardware that takes flows of all devices whose own driver
 * does not (TC_SETUP_FT), and does nothing but write down what it is told:
 *
 * /proc/nf_flow_recorder/log    what it was told, a line each; written to, it is
 *                               forgotten
 * /proc/nf_flow_recorder/table  the rules that it has
 *
 * Parameters, which can be changed: refuse (no more rules), packets and bytes (how
 * many it says it counted, whenever it is asked), used (and that it was in use just
 * now), slow (milliseconds that every request takes), quiet (only the table), tc (takes
 * devices' tc filters too, for nothing but the tables of their ct actions).
 */
#include <linux/delay.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/flow_dissector.h>
#include <net/flow_offload.h>
#include <net/ip_tunnels.h>
#include <net/netfilter/nf_flow_table.h>
#include <net/pkt_cls.h>

#define ROOM 1024 /* of a line */
#define MOST 20000 /* lines and rules */

static bool refuse, used, quiet, tc;
static unsigned int packets, slow;
static unsigned long bytes;
module_param(refuse, bool, 0644);
module_param(used, bool, 0644);
module_param(quiet, bool, 0644);
module_param(tc, bool, 0644);
module_param(packets, uint, 0644);
module_param(bytes, ulong, 0644);
module_param(slow, uint, 0644);

struct line {
	struct list_head list;
	char text[];
};

/* A rule that is there, or was. */
struct rule {
	struct list_head list;
	unsigned long cookie;
	const struct bound *on;
	bool gone;
	char *key;
	char *text;
};

/* A device of a table, or of a tc block, whose ct action has a table. */
struct bound {
	struct list_head list;
	struct net_device *dev;
	void *table;
	struct nf_flowtable *of_ct;
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(lines);
static LIST_HEAD(rules);
static LIST_HEAD(bounds);
static LIST_HEAD(callbacks);
static unsigned int line_count, rule_count;
static struct proc_dir_entry *directory;

struct text {
	char *at;
	size_t used;
};

static __printf(2, 3) void add(struct text *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to->used += vscnprintf(to->at + to->used, ROOM - to->used, format,
			       args);
	va_end(args);
}

static __printf(1, 2) void note(const char *format, ...)
{
	struct line *line;
	va_list args;

	if (quiet || line_count >= MOST)
		return;
	line = kmalloc(sizeof(*line) + ROOM, GFP_KERNEL);
	if (!line)
		return;
	va_start(args, format);
	vscnprintf(line->text, ROOM, format, args);
	va_end(args);
	list_add_tail(&line->list, &lines);
	line_count++;
}

static void describe_vlan(struct text *to, const char *name,
			  const struct flow_match_vlan *vlan)
{
	if (vlan->mask->vlan_id != VLAN_VID_MASK ||
	    vlan->mask->vlan_tpid != cpu_to_be16(~0))
		add(to, " (odd mask)");
	add(to, " %s %u/%04x", name, vlan->key->vlan_id,
	    ntohs(vlan->key->vlan_tpid));
}

/* A match, its keys with masks that are not all ones. */
static void describe_key(struct text *to, struct net *net,
			 const struct flow_rule *rule)
{
	struct flow_match_control control;
	struct flow_match_ports ports = {};
	struct flow_match_basic basic;
	struct flow_match_vlan vlan;
	struct flow_match_meta meta;
	struct flow_match_tcp tcp;
	struct net_device *dev;

	if (!flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_META) ||
	    !flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_BASIC) ||
	    !flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_CONTROL)) {
		add(to, "(incomplete)");
		return;
	}
	flow_rule_match_meta(rule, &meta);
	flow_rule_match_basic(rule, &basic);
	flow_rule_match_control(rule, &control);
	rcu_read_lock();
	dev = dev_get_by_index_rcu(net, meta.key->ingress_ifindex);
	add(to, "%s", dev ? dev->name : "none");
	rcu_read_unlock();
	if (meta.mask->ingress_ifindex != ~0 ||
	    basic.mask->n_proto != cpu_to_be16(~0) ||
	    basic.mask->ip_proto != 0xff || control.mask->addr_type != 0xffff)
		add(to, " (odd mask)");
	if (flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_VLAN)) {
		flow_rule_match_vlan(rule, &vlan);
		describe_vlan(to, "vlan", &vlan);
	}
	if (flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_CVLAN)) {
		flow_rule_match_cvlan(rule, &vlan);
		describe_vlan(to, "cvlan", &vlan);
	}
	add(to, " %04x %u", ntohs(basic.key->n_proto), basic.key->ip_proto);
	if (flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_PORTS))
		flow_rule_match_ports(rule, &ports);
	if (flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_IPV4_ADDRS)) {
		struct flow_match_ipv4_addrs addrs;

		flow_rule_match_ipv4_addrs(rule, &addrs);
		if (~addrs.mask->src || ~addrs.mask->dst)
			add(to, " (odd mask)");
		add(to, " %pI4>%pI4", &addrs.key->src, &addrs.key->dst);
	} else if (flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_IPV6_ADDRS)) {
		struct flow_match_ipv6_addrs addrs;

		flow_rule_match_ipv6_addrs(rule, &addrs);
		if (memchr_inv(addrs.mask, 0xff, sizeof(*addrs.mask)))
			add(to, " (odd mask)");
		add(to, " %pI6c>%pI6c", &addrs.key->src, &addrs.key->dst);
	}
	if (ports.key) {
		if (~ports.mask->ports)
			add(to, " (odd mask)");
		add(to, " %u>%u", ntohs(ports.key->src), ntohs(ports.key->dst));
	}
	if (flow_rule_match_key(rule, FLOW_DISSECTOR_KEY_TCP)) {
		flow_rule_match_tcp(rule, &tcp);
		add(to, " flags %02x/%02x", ntohs(tcp.key->flags),
		    ntohs(tcp.mask->flags));
	}
}

static void describe_action(struct text *to,
			    const struct flow_action_entry *entry)
{
	static const char *const headers[] = { "?",   "eth", "ip4",
					       "ip6", "tcp", "udp" };

	switch (entry->id) {
	case FLOW_ACTION_MANGLE:
		add(to, " %s+%u=%*phN/%*phN",
		    entry->mangle.htype < ARRAY_SIZE(headers) ?
			    headers[entry->mangle.htype] :
			    "?",
		    entry->mangle.offset, 4, &entry->mangle.val, 4,
		    &entry->mangle.mask);
		break;
	case FLOW_ACTION_VLAN_POP:
		add(to, " pop");
		break;
	case FLOW_ACTION_VLAN_PUSH:
		add(to, " push=%u/%04x", entry->vlan.vid,
		    ntohs(entry->vlan.proto));
		break;
	case FLOW_ACTION_PPPOE_PUSH:
		add(to, " pppoe=%u", entry->pppoe.sid);
		break;
	case FLOW_ACTION_TUNNEL_ENCAP:
		add(to, " encap=%llu", be64_to_cpu(entry->tunnel->key.tun_id));
		break;
	case FLOW_ACTION_TUNNEL_DECAP:
		add(to, " decap");
		break;
	case FLOW_ACTION_CT_METADATA:
		add(to, " ct=%s/%u",
		    entry->ct_metadata.orig_dir ? "original" : "reply",
		    entry->ct_metadata.mark);
		break;
	case FLOW_ACTION_CSUM:
		add(to, " csum=%x", entry->csum_flags);
		break;
	case FLOW_ACTION_REDIRECT:
		add(to, " to=%s", entry->dev->name);
		break;
	default:
		add(to, " action=%u", entry->id);
	}
}

static struct rule *find(const struct bound *on, unsigned long cookie)
{
	struct rule *rule;

	list_for_each_entry(rule, &rules, list)
		if (rule->on == on && rule->cookie == cookie)
			return rule;
	return NULL;
}

static void forget(struct rule *rule)
{
	list_del(&rule->list);
	rule_count--;
	kfree(rule->key);
	kfree(rule->text);
	kfree(rule);
}

static int replace(const struct bound *on, struct flow_cls_offload *request)
{
	const struct flow_action_entry *entry;
	struct text key = {}, text = {};
	struct flow_match_meta meta;
	struct rule *rule;
	int i;

	flow_rule_match_meta(request->rule, &meta);
	if (meta.key->ingress_ifindex != on->dev->ifindex &&
	    (meta.key->ingress_ifindex || !on->of_ct))
		return -EOPNOTSUPP;
	rule = find(on, request->cookie);
	if (rule && !rule->gone)
		return -EEXIST;
	if (rule)
		forget(rule);
	key.at = kzalloc(ROOM, GFP_KERNEL);
	text.at = kzalloc(ROOM, GFP_KERNEL);
	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	if (!key.at || !text.at || !rule || rule_count >= MOST)
		goto out;
	describe_key(&key, dev_net(on->dev), request->rule);
	flow_action_for_each(i, entry, &request->rule->action)
		describe_action(&text, entry);
	if (refuse) {
		note("refuse %s", key.at);
		goto out;
	}
	note("replace %s :%s", key.at, text.at);
	rule->on = on;
	rule->cookie = request->cookie;
	rule->key = key.at;
	rule->text = text.at;
	list_add_tail(&rule->list, &rules);
	rule_count++;
	return 0;
out:
	kfree(key.at);
	kfree(text.at);
	kfree(rule);
	return -EOPNOTSUPP;
}

static int destroy(const struct bound *on, struct flow_cls_offload *request)
{
	struct rule *rule = find(on, request->cookie);

	if (!rule)
		return -ENOENT;
	note("destroy %s%s", rule->key, rule->gone ? " (again)" : "");
	rule->gone = true;
	if (quiet)
		forget(rule);
	return 0;
}

static int stats(const struct bound *on, struct flow_cls_offload *request)
{
	struct rule *rule = find(on, request->cookie);

	if (!rule)
		return -ENOENT;
	if (rule->gone) {
		note("stats of what is gone: %s", rule->key);
		return -ENOENT;
	}
	note("stats %s", rule->key);
	flow_stats_update(&request->stats, bytes, packets, 0,
			  used ? jiffies : 0, FLOW_ACTION_HW_STATS_DELAYED);
	return 0;
}

static int request(enum tc_setup_type type, void *data, void *priv)
{
	struct flow_cls_offload *request = data;
	int err = -EOPNOTSUPP;

	if (type != TC_SETUP_CLSFLOWER)
		return err;
	if (slow)
		msleep(slow);
	mutex_lock(&lock);
	switch (request->command) {
	case FLOW_CLS_REPLACE:
		err = replace(priv, request);
		break;
	case FLOW_CLS_DESTROY:
		err = destroy(priv, request);
		break;
	case FLOW_CLS_STATS:
		err = stats(priv, request);
		break;
	default:
		break;
	}
	mutex_unlock(&lock);
	return err;
}

/* A tc filter: it is not taken, but its connections are. */
static int tc_request(enum tc_setup_type type, void *data, void *priv)
{
	struct flow_cls_offload *filter = data;
	const struct flow_action_entry *entry;
	struct bound *on = priv;
	int i;

	if (type != TC_SETUP_CLSFLOWER || filter->command != FLOW_CLS_REPLACE)
		return -EOPNOTSUPP;
	flow_action_for_each(i, entry, &filter->rule->action)
		if (entry->id == FLOW_ACTION_CT && entry->ct.flow_table &&
		    !on->of_ct &&
		    !nf_flow_table_offload_add_cb(entry->ct.flow_table, request,
						  on))
			on->of_ct = entry->ct.flow_table;
	return -EOPNOTSUPP;
}

static void release(void *priv)
{
	struct rule *rule, *next;
	struct bound *on = priv;
	bool of_ct = on->of_ct;

	if (of_ct)
		nf_flow_table_offload_del_cb(on->of_ct, request, on);
	mutex_lock(&lock);
	list_for_each_entry_safe(rule, next, &rules, list)
		if (rule->on == on) {
			if (!rule->gone && !of_ct)
				note("left behind %s", rule->key);
			forget(rule);
		}
	note("unbind %s", on->dev->name);
	list_del(&on->list);
	mutex_unlock(&lock);
	kfree(on);
}

static int setup(struct net_device *dev, struct Qdisc *sch, void *priv,
		 enum tc_setup_type type, void *data, void *table,
		 void (*cleanup)(struct flow_block_cb *callback))
{
	struct flow_block_offload *block = data;
	struct flow_block_cb *callback;
	struct bound *on, *found = NULL;

	if (!dev || !data)
		return -EOPNOTSUPP;
	if (type != TC_SETUP_FT &&
	    (type != TC_SETUP_BLOCK ||
	     (!tc && block->command == FLOW_BLOCK_BIND) ||
	     block->binder_type != FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS))
		return -EOPNOTSUPP;
	mutex_lock(&lock);
	list_for_each_entry(on, &bounds, list)
		if (on->dev == dev && on->table == table)
			found = on;
	mutex_unlock(&lock);
	switch (block->command) {
	case FLOW_BLOCK_BIND:
		if (found)
			return -EBUSY;
		on = kzalloc(sizeof(*on), GFP_KERNEL);
		if (!on)
			return -ENOMEM;
		on->dev = dev;
		on->table = table;
		callback = flow_indr_block_cb_alloc(
			type == TC_SETUP_FT ? request : tc_request, on, on,
			release, block, dev, sch, table, priv, cleanup);
		if (IS_ERR(callback)) {
			kfree(on);
			return PTR_ERR(callback);
		}
		mutex_lock(&lock);
		list_add(&on->list, &bounds);
		note("bind %s", dev->name);
		mutex_unlock(&lock);
		flow_block_cb_add(callback, block);
		list_add_tail(&callback->driver_list, &callbacks);
		return 0;
	case FLOW_BLOCK_UNBIND:
		list_for_each_entry(callback, &callbacks, driver_list)
			if (found && callback->cb_ident == found) {
				flow_indr_block_cb_remove(callback, block);
				list_del(&callback->driver_list);
				return 0;
			}
		return -ENOENT;
	default:
		return -EOPNOTSUPP;
	}
}

static int show_log(struct seq_file *out, void *unused)
{
	struct line *line;

	mutex_lock(&lock);
	list_for_each_entry(line, &lines, list)
		seq_printf(out, "%s\n", line->text);
	mutex_unlock(&lock);
	return 0;
}

static int open_log(struct inode *inode, struct file *file)
{
	return single_open(file, show_log, NULL);
}

static void clear_log(void)
{
	struct line *line, *next;

	list_for_each_entry_safe(line, next, &lines, list) {
		list_del(&line->list);
		kfree(line);
	}
	line_count = 0;
}

static ssize_t write_log(struct file *file, const char __user *from, size_t len,
			 loff_t *at)
{
	mutex_lock(&lock);
	clear_log();
	mutex_unlock(&lock);
	return len;
}

static const struct proc_ops log_operations = {
	.proc_open = open_log,
	.proc_read = seq_read,
	.proc_write = write_log,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int show_table(struct seq_file *out, void *unused)
{
	struct rule *rule;

	mutex_lock(&lock);
	list_for_each_entry(rule, &rules, list)
		if (!rule->gone)
			seq_printf(out, "%s :%s\n", rule->key, rule->text);
	mutex_unlock(&lock);
	return 0;
}

static int __init recorder_init(void)
{
	int err;

	directory = proc_mkdir("nf_flow_recorder", NULL);
	if (!directory)
		return -ENOMEM;
	proc_create("log", 0600, directory, &log_operations);
	proc_create_single("table", 0400, directory, show_table);
	err = flow_indr_dev_register(setup, &bounds);
	if (err)
		proc_remove(directory);
	return err;
}

static void __exit recorder_exit(void)
{
	flow_indr_dev_unregister(setup, &bounds, release);
	proc_remove(directory);
	clear_log();
}

module_init(recorder_init);
module_exit(recorder_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Writes down the flows that drivers are offered, for tests");
