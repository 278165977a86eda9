// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>

/* The first possible CPU from @from on, or nr_cpu_ids or more. */
unsigned int nf_rust_helper_cpumask_next_possible(unsigned int from)
{
	return cpumask_next((int)from - 1, cpu_possible_mask);
}
