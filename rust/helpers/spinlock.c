// SPDX-License-Identifier: GPL-2.0

#include <linux/spinlock.h>

void nf_rust_helper_spin_lock_init(spinlock_t *lock)
{
	spin_lock_init(lock);
}

void nf_rust_helper_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

void nf_rust_helper_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

int nf_rust_helper_spin_trylock_bh(spinlock_t *lock)
{
	return spin_trylock_bh(lock);
}

void nf_rust_helper_lockdep_assert_held(spinlock_t *lock)
{
	lockdep_assert_held(lock);
}
