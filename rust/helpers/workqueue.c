// SPDX-License-Identifier: GPL-2.0

#include <linux/workqueue.h>

void nf_rust_helper_INIT_DEFERRABLE_WORK(struct delayed_work *work,
					 work_func_t func)
{
	INIT_DEFERRABLE_WORK(work, func);
}

bool nf_rust_helper_queue_delayed_work(struct delayed_work *work,
				       unsigned long delay)
{
	return queue_delayed_work(system_power_efficient_wq, work, delay);
}
