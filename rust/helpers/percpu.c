// SPDX-License-Identifier: GPL-2.0

#include <linux/percpu.h>

void *nf_rust_helper_per_cpu_ptr(void *ptr, unsigned int cpu)
{
	return per_cpu_ptr((void __percpu __force *)(unsigned long)ptr, cpu);
}

void nf_rust_helper_this_cpu_add_8(u64 *ptr, u64 value)
{
	this_cpu_add(*(u64 __percpu __force *)(unsigned long)ptr, value);
}

void nf_rust_helper_this_cpu_add_4(u32 *ptr, u32 value)
{
	this_cpu_add(*(u32 __percpu __force *)(unsigned long)ptr, value);
}
