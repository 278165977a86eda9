// SPDX-License-Identifier: GPL-2.0

#include <linux/fs.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

/* What was given when the file was made. */
void *nf_rust_helper_pde_data(const struct seq_file *seq)
{
	return pde_data(file_inode(seq->file));
}
