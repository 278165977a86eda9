// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's TCG: counts how often each block of kernel code runs
 * between marks that the guest sets (see Mark in tools/bench/guest), for each
 * set-up, and writes that to a file at the end: address, instructions, counts.
 *
 * Debian ships QEMU with plugins but not the header for them: what is used of
 * the interface (version 4, docs/devel/tcg-plugins) is declared here.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

int qemu_plugin_version = 4;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id id,
						      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int cpu, void *data),
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id,
				    void (*cb)(plugin_id id, void *data),
				    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest,
			     size_t len);

#define SETUPS 2
#define SLOTS (1u << 20)
#define OFF 0xff

/* A block that is translated again is the same one. */
struct block {
	uint64_t address;
	uint64_t insns;
	uint64_t counts[SETUPS];
};

static struct block blocks[SLOTS];
static unsigned int setup = OFF;
static const char *path;

static struct block *block_of(uint64_t address, uint64_t insns)
{
	uint64_t at = (address * 0x9e3779b97f4a7c15u + insns) >> 40;

	for (unsigned int tried = 0; tried < SLOTS; tried++, at++) {
		struct block *block = &blocks[at % SLOTS];

		if (!block->insns) {
			block->address = address;
			block->insns = insns;
		}
		if (block->address == address && block->insns == insns)
			return block;
	}
	fprintf(stderr, "profile: too many blocks\n");
	exit(1);
}

static void count(unsigned int cpu, void *data)
{
	struct block *block = data;

	if (setup < SETUPS)
		block->counts[setup]++;
}

static void mark(unsigned int cpu, void *data)
{
	setup = (uintptr_t)data;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	/* nopl with a displacement: the set-up's number, then "NFM". */
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x84, 0x00 };
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	uint64_t address = qemu_plugin_insn_vaddr(first);

	if ((int64_t)address < 0) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, count, 0,
						     block_of(address, n));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t code[8];

		if (qemu_plugin_insn_size(insn) != sizeof(code) ||
		    qemu_plugin_insn_data(insn, code, sizeof(code)) != sizeof(code))
			continue;
		if (!memcmp(code, nop, 4) && !memcmp(code + 5, "NFM", 3))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, 0,
							       (void *)(uintptr_t)code[4]);
	}
}

static void write_out(plugin_id id, void *data)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return;
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct block *block = &blocks[i];

		if (block->counts[0] || block->counts[1])
			fprintf(out, "%llx %llu %llu %llu\n",
				(unsigned long long)block->address,
				(unsigned long long)block->insns,
				(unsigned long long)block->counts[0],
				(unsigned long long)block->counts[1]);
	}
	fclose(out);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			path = strdup(argv[i] + 4);
	}
	if (!path)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, write_out, NULL);
	return 0;
}
