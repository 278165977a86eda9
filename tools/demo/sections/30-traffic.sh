# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh, ../guest
#
# The traffic. Each function is one act, fails if it did not go as it should,
# and says in its last line what came of it.

# pings NAMESPACE ADDRESS: three echo requests, three replies.
pings() {
	local out
	out=$(in_ns "$1" ping -n -c 3 -i 0.2 -W 3 "$2") || { echo "$out" && return 1; }
	grep -q ' 3 received' <<<"$out" || { echo "$out" && return 1; }
	sed -nE 's|^rtt .* = [^/]*/([0-9]*\.[0-9])[^/]*/.*|3 of 3 replies, \1 ms|p' <<<"$out"
}

# echoes NAMESPACE SOCAT-ADDRESS BYTES: what is sent comes back as it was.
echoes() {
	local sent back
	head -c "$3" /dev/urandom | base64 -w 0 | head -c "$3" >"$work/sent"
	in_ns "$1" socat -t 3 -T 10 - "$2" <"$work/sent" >"$work/back" || return 1
	sent=$(sha256sum <"$work/sent") back=$(sha256sum <"$work/back")
	[ "$sent" = "$back" ] || { echo "$(stat -c %s "$work/back") of $3 bytes came back" && return 1; }
	echo "$3 bytes, intact"
}

# throughput NAMESPACE ARGUMENT...: iperf3 to the server for a second.
throughput() {
	local out
	out=$(in_ns "$1" timeout 60 iperf3 -t 1 -J "${@:2}") ||
		{ jq -r '.error // .' <<<"$out" && return 1; }
	jq -er '.end | (.sum_received // .sum) |
		if .bytes > 0 then "\(.bits_per_second / 1e6 | floor) Mbit/s"
			+ (if .lost_packets then ", \(.packets) datagrams" else "" end)
		else error("nothing arrived") end' <<<"$out"
}

# unreachable NAMESPACE ADDRESS: the answer to a datagram for a closed port is
# an ICMP error, and the sender's socket is told.
unreachable() {
	local out
	out=$(in_ns "$1" timeout 10 bash -c "exec 3<>/dev/udp/$2/9; echo hello >&3; read -r -t 5 -u 3" 2>&1) || true
	grep -q 'Connection refused' <<<"$out" || { echo "no ICMP error came: $out" && return 1; }
	echo 'port unreachable came back'
}

# blocked NAMESPACE SOCAT-ADDRESS: nobody answers.
blocked() {
	if in_ns "$1" socat -T 1 - "$2,connect-timeout=1" </dev/null 2>/dev/null; then
		echo 'the connection was let in' && return 1
	fi
	echo 'kept out'
}

# bogus NAMESPACE ADDRESS: a TCP header with SYN and FIN at once and no
# checksum, by hand: ports 4660 to 7, window 8192.
bogus() {
	local before after
	before=$(counted invalid)
	printf '\x12\x34\x00\x07\x00\x00\x00\x01\x00\x00\x00\x00\x50\x03\x20\x00\x00\x00\x00\x00' |
		in_ns "$1" socat -u - "IP4-SENDTO:$2:6" || return 1
	sleep 0.2
	after=$(counted invalid)
	[ "$after" -gt "$before" ] || { echo 'it was not found invalid' && return 1; }
	echo 'invalid, dropped'
}

# counted WORD: the packets that the forward rule with WORD has counted.
counted() {
	in_ns router nft list chain inet router forward |
		sed -nE "s/.*\b$1\b.* counter packets ([0-9]+) .*/\1/p" | head -n 1
}

section 'Traffic' 'real programs over both families, through the router; the processors are emulated'
step client server ICMP IPv4 'ping' pings client "$server4"
step client server ICMP IPv6 'ping' pings client "$server6"
step client server TCP IPv4 'echo' echoes client "TCP4:$server4:7" 65536
step client server TCP IPv6 'echo' echoes client "TCP6:[$server6]:7" 65536
step client server UDP IPv4 'echo of a datagram' echoes client "UDP4:$server4:7" 512
step client server UDP IPv6 'echo of a datagram' echoes client "UDP6:[$server6]:7" 512
step client server TCP IPv4 'iperf3, 1 s' throughput client -c "$server4"
step client server TCP IPv6 'iperf3, 1 s' throughput client -c "$server6"
step client server UDP IPv4 'iperf3, 1 s at 20 Mbit/s' throughput client -u -b 20M -l 1400 -c "$server4"
step client server UDP IPv6 'iperf3, 1 s at 20 Mbit/s' throughput client -u -b 20M -l 1400 -c "$server6"
step client server UDP IPv4 'to a closed port: ICMP error, related' unreachable client "$server4"
step client server UDP IPv6 'to a closed port: ICMP error, related' unreachable client "$server6"
step server client TCP IPv4 'in through port 8080 of the router' echoes server "TCP4:$wan4:8080" 1024
step server client TCP IPv6 'uninvited: must not get in' blocked server "TCP6:[$client6]:80"
step client server TCP IPv4 'a segment with SYN and FIN' bogus client "$server4"
