// SPDX-License-Identifier: GPL-2.0
/* A parameter of long ago: taken, so that nobody's configuration breaks. */
#include <linux/moduleparam.h>
#include <linux/printk.h>

static int ports_set(const char *val, const struct kernel_param *kp)
{
	pr_info("%s: ports are a parameter of the connection tracking module\n",
		KBUILD_MODNAME);
	return 0;
}
module_param_call(ports, ports_set, NULL, NULL, 0);
