// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on purpose: loading this with fault=NAME does what no module may do,
 * and a debug kernel has to say so. For tools/debug/test.sh alone.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "which one");

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);
static int __rcu *guarded;
static volatile char seen;

/* An object on the heap that the compiler knows nothing about. */
static char *object(void)
{
	char *new = kzalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(new);
	return new;
}

static void freed(void)
{
	char *gone = object();

	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	seen = READ_ONCE(gone[8]);
}

static void bounds(void)
{
	char *small = object();
	size_t length = 64;

	OPTIMIZER_HIDE_VAR(length);
	seen = READ_ONCE(small[length]);
	kfree(small);
}

static void leak(void)
{
	int i;

	/* Several: a stale copy of one pointer in a register or on a stack hides it. */
	for (i = 0; i < 16; i++)
		object();
}

static void atomic(void)
{
	spin_lock(&first);
	msleep(20);
	spin_unlock(&first);
}

static void order(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);

	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void unguarded(void)
{
	seen = !!rcu_dereference(guarded);
}

static void never(struct timer_list *timer)
{
}

static void active(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static const struct {
	const char *name;
	void (*plant)(void);
} faults[] = {
	{ "freed", freed },
	{ "bounds", bounds },
	{ "leak", leak },
	{ "atomic", atomic },
	{ "order", order },
	{ "unguarded", unguarded },
	{ "active", active },
};

static int __init planted_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(faults[i].name, fault)) {
			faults[i].plant();
			return 0;
		}
	}
	return strcmp(fault, "none") ? -EINVAL : 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_DESCRIPTION("Faults on purpose");
MODULE_LICENSE("GPL");
