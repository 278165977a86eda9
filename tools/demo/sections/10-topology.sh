# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh
#
# The network, drawn.

# between WIDTH LEFT RIGHT: the inside of a box.
between() {
	local gap=$(($1 - ${#2} - ${#3} - 2))
	printf ' %s%*s%s ' "$2" "$gap" '' "$3"
}

# row CLIENT LINK ROUTER LINK SERVER: a line of the three boxes, given with
# their left and right borders.
row() {
	printf '    %s%s%s%s%s%s%s%s%s%s%s\n' "$cyan" "$1" "$plain" "$2" "$yellow" "$3" "$plain" \
		"$4" "$magenta" "$5" "$plain"
}

plain_row() {
	row "│$(between 24 "$1" "$2")│" '    ' "│$(between 32 "$3" "$4")│" '    ' "│$(between 24 "$5" "$6")│"
}

section 'The network' 'three network namespaces, two veth links; IPv4 is masqueraded, IPv6 is routed'
printf '\n'
row '┌──────── client ────────┐' '    ' '┌──────────── router ────────────┐' '    ' '┌──────── server ────────┐'
plain_row 'web server' 'tcp 80' 'nftables: stateful filter,' '' 'echo' 'tcp 7, udp 7'
plain_row '' '' 'masquerade, port forwarding' '' 'iperf3' 'tcp, udp 5201'
row "│$(between 24 '' eth0)├" '────' "┤$(between 32 lan wan)├" '────' "┤$(between 24 eth0 '')│"
plain_row '' "$client4" "$lan4" "$wan4" "$server4" ''
plain_row '' "$client6" "$lan6" "$wan6" "$server6" ''
row '└────────────────────────┘' '    ' '└────────────────────────────────┘' '    ' '└────────────────────────┘'
