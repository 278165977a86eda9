# SPDX-License-Identifier: GPL-2.0
#
# The front door. Everything that is built or fetched lands in build/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# KVER=7.2.N picks another kernel than the newest one offered.
export KVER

setup = ./tools/vm/setup
in_root = ./tools/vm/enter
release = $$(cat build/release)

.PHONY: help
help: ## What there is (this text)
	@printf 'rustynat: Linux connection tracking in Rust, on a stock Debian kernel\n\n'
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | \
		while IFS=$$'\t' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done
	@printf '\n  KVER=7.2.N picks another kernel; V=1 shows the commands of the module build.\n'

.PHONY: setup
setup: ## Fetch and prepare all that is needed, under build/
	@$(setup)

.PHONY: modules
modules: setup ## Build every module into build/modules/*.ko
	@$(in_root) tools/build-modules

.PHONY: demo
demo: modules ## Boot the stock kernel with our modules and show a router at work
	@./tools/demo/run

.PHONY: test
test: modules ## Run every test; the last line is the count
	@./tools/testing/run

.PHONY: fuzz
fuzz: setup ## Fuzz the parsers and protocol machines on the host (SECONDS_EACH=60)
	@$(in_root) tools/testing/fuzz/run --seconds $${SECONDS_EACH:-60}

.PHONY: test-debug
test-debug: setup ## The selftests on kernels that check themselves (KASAN; two processors; lockdep, ... on both; hours; KINDS=smp)
	@failed=0; for kind in $${KINDS:-kasan smp}; do \
		./tools/debug/test.sh $$kind && ./tools/debug/run $$kind || failed=1; \
	done; exit $$failed

.PHONY: stress
stress: modules ## All that changes the table at once, for half an hour (SECONDS_OF_STRESS=1800)
	@./tools/testing/stress $${SECONDS_OF_STRESS:-1800}

.PHONY: play
play: modules ## Random packets at stock's modules and at ours, what differs made small (SEED=2026 EPISODES=2000 KINDS=tcp,... CASE=...)
	@./tools/testing/parity/play --seed $${SEED:-2026} --episodes $${EPISODES:-2000} $(if $(KINDS),--kinds $(KINDS)) $(CASE)

.PHONY: check
check: modules ## The static checks
	@$(in_root) tools/check/run

.PHONY: bench
bench: modules ## What it costs, ours against stock (PARTS=packets,... SIZES=1,1000,...)
	@./tools/bench/run $(if $(SIZES),--sizes '$(SIZES)') $(if $(PARTS),--parts '$(PARTS)')

.PHONY: bench-native
bench-native: setup ## What it costs in nanoseconds, under User-Mode Linux (PAIRS=12)
	@./tools/bench/native $(if $(PAIRS),--pairs '$(PAIRS)')

.PHONY: profile
profile: modules ## Functions that a packet's instructions go to (ROW='IPv4 TCP new')
	@./tools/bench/profile $(if $(ROW),'$(ROW)')

.PHONY: shell
shell: modules ## A shell in a virtual machine with our modules
	@./tools/vm/run --interactive

.PHONY: install
install: ## Put build/modules into /lib/modules of this running system (root)
	@./tools/install install

.PHONY: uninstall
uninstall: ## Undo 'make install' (root)
	@./tools/install uninstall

.PHONY: clean
clean: ## Remove what was built; keep what was fetched
	@rm -rf build/kbuild build/modules build/selftest-modules build/vm build/selftests build/host build/check build/demo

.PHONY: distclean
distclean: ## Remove build/ as a whole
	@./tools/vm/remove
