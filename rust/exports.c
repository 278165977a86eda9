// SPDX-License-Identifier: GPL-2.0
/*
 * Exports every public Rust symbol of the crates in this module, and the C
 * helpers, to the family's other modules. Stock modules import C names only:
 * those are in the modules' own exports.c.
 */
#include <linux/export.h>

#define EXPORT_SYMBOL_RUST_GPL(sym) \
	extern int sym;             \
	EXPORT_SYMBOL_GPL(sym)

#include "exports_generated.h"
