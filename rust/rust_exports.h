/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the files rust_exports.c that Kbuild makes: they export what is public in
 * the Rust of a module to the family's other modules. Stock modules import C
 * names only: those are in the modules' own exports.
 */
#ifndef _RUST_EXPORTS_H
#define _RUST_EXPORTS_H

#include <linux/export.h>

#define EXPORT_SYMBOL_RUST_GPL(sym) \
	extern int sym;             \
	EXPORT_SYMBOL_GPL(sym)

#endif
