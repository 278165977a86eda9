# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of hardware that takes flows share. Sourced, never run. Test
# modules are in build/, for the kernel that they were built for.

recorder=/proc/nf_flow_recorder
# shellcheck disable=SC2034 # of the tests
log=$recorder/log
module=''
for file in /rustynat/build/selftest-modules /rustynat/build/debug/*/selftest-modules; do
	file+=/nf_flow_recorder.ko
	if [ -e "$file" ] && [[ $(modinfo -F vermagic "$file") == "$(uname -r) "* ]]; then module=$file; fi
done
[ -n "$module" ] || skip_all 'nf_flow_recorder is not built for this kernel'

# servers: UDP and TCP, port 4000 of both families.
# shellcheck disable=SC2154 # set by setup_ns
servers() {
	local f
	for f in 4 6; do
		in_server ./nf_flow_table.py udp-server $f 4000 >/dev/null 2>&1 &
		listen "$server" "TCP$f" 4000
	done
	busywait 3000 in_server sh -c 'ss -uln | grep -q :4000' >/dev/null
}

# hardware FLAGS [MORE]: a table of r0 and r1 that hardware is to have.
hardware() {
	in_router nft delete table inet test 2>/dev/null
	rules <<-END
		table inet test {
			flowtable fast { hook ingress priority 0; devices = { r0, r1 }; flags offload; $1 }
			chain forward {
				type filter hook forward priority 0
				meta l4proto { tcp, udp } ct state established flow add @fast
			}
			${2:-}
		}
	END
}

# again: what was written down is done with. say PARAMETER VALUE...: of the driver.
again() { echo >$recorder/log; }
say() {
	while [ $# -ge 2 ]; do
		echo "$2" >"/sys/module/nf_flow_recorder/parameters/$1"
		shift 2
	done
}

# counted PATTERN FIELD: of the original direction.
counted() { connections | grep -E "$1" | head -n 1 | grep -oE "$2=[0-9]+" | head -n 1 | cut -d= -f2; }
