#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Are the checks to be believed? Plants faults, each of which has to be reported,
# and sound modules and sources, which have to pass. Runs in the build root.
set -eu
# So that verdict, at the end of a pipe, counts in this shell.
shopt -s lastpipe
cd "$(dirname "$0")/../.."

export LC_ALL=C.UTF-8
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
release=$(cat build/release)
stock=build/kernel/$release/stock/lib/modules/$release/kernel/net
passed=0 failed=0

verdict() { # NAME, and its faults on stdin
	local reasons
	reasons=$(cat)
	if [ -z "$reasons" ]; then
		passed=$((passed + 1))
		printf 'ok %d - %s\n' $((passed + failed)) "$1"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' $((passed + failed)) "$1"
		printf '%s\n' "$reasons" | sed 's/^/#   /'
	fi
}

# check ARGUMENT...: runs them, output in $temp/log, status in $status.
check() {
	status=0
	tools/check/run "$@" >"$temp/log" 2>&1 || status=$?
}

# green NAME ARGUMENT...: these checks pass.
green() {
	local name=$1
	shift
	check "$@"
	{ [ "$status" = 0 ] || grep -vE '^ok ' "$temp/log"; } | verdict "$name"
}

# red NAME PATTERN ARGUMENT...: these checks fail, and say PATTERN.
red() {
	local name=$1 pattern=$2
	shift 2
	check "$@"
	{
		[ "$status" != 0 ] || echo "passed"
		grep -qE -- "$pattern" "$temp/log" || {
			echo "does not say: $pattern"
			cat "$temp/log"
		}
	} | verdict "$name"
}

# copy DIR MODULE [AS]: a stock module into DIR.
copy() {
	mkdir -p "$temp/$1"
	find "$stock" -name "$2.ko.xz" -exec xz -dc {} + >"$temp/$1/${3:-$2}.ko"
}

### Modules: stock ones stand in for ours #####################################

modinfo=(license=GPL "vermagic=$release SMP preempt mod_unload " description=planted)

# planted DIR MODULE FLAG SYMBOL...: a module that exports SYMBOLs (FLAG 1: to
# GPL modules only), with the fields of modinfo=().
planted() {
	local dir=$temp/$1 module=$2 flag=$3 symbol field
	shift 3
	mkdir -p "$dir"
	{
		echo '.section .modinfo, "a"'
		for field in "${modinfo[@]}"; do printf '.asciz "%s"\n' "$field"; done
		echo '.section __ksymtab, "a"'
		for symbol; do printf '__ksymtab_%s: .long 0, 0, 0\n' "$symbol"; done
		echo '.section __kflagstab, "a"'
		for symbol; do printf '.byte %d\n' "$flag"; done
	} | gcc -c -x assembler -o "$dir/$module.ko" -
}

# exports_without SYMBOL: what stock nf_conntrack exports, but for SYMBOL.
exports_without() {
	nm "$temp/clean/nf_conntrack.ko" | sed -n 's/.* r __ksymtab_//p' | grep -vx "$1"
}

for module in nf_conntrack nf_nat nf_conncount nf_conntrack_ftp; do copy clean "$module"; done
green "sound modules pass" --modules "$temp/clean" exports modinfo btf panics

copy lacking nf_conntrack_broadcast nf_conntrack
red "another module under the name: its exports are missed" \
	'nf_ct_netns_get: not exported, imported by .*nft_ct' --modules "$temp/lacking" exports
red "... and its aliases" 'alias nf_conntrack-10 is missing' --modules "$temp/lacking" modinfo
red "... and its parameters, callbacks included" \
	'parameter hashsize is missing' --modules "$temp/lacking" modinfo
red "... and its functions for BPF programs" 'bpf_ct_release: missing' --modules "$temp/lacking" btf

copy typeless nf_conntrack
objcopy --remove-section .BTF "$temp/typeless/nf_conntrack.ko"
red "functions for BPF programs, but no BTF" 'nf_conntrack.ko: no BTF' --modules "$temp/typeless" btf

copy renamed nf_nat
sed -i 's/\x00manip\x00/\x00mania\x00/g' "$temp/renamed/nf_nat.ko"
red "a parameter by another name" 'mania\), .*stock: ' --modules "$temp/renamed" btf

mapfile -t symbols < <(exports_without nf_ct_delete)
planted one nf_conntrack 1 "${symbols[@]}"
red "one export too few" 'nf_ct_delete: not exported, imported by act_ct ip_vs nf_nat openvswitch' \
	--modules "$temp/one" exports

mapfile -t symbols < <(exports_without nf_ct_helper_init)
planted helper nf_conntrack 1 "${symbols[@]}"
red "an export that only stock helpers of the family want" \
	'nf_ct_helper_init: not exported, imported by .*nf_conntrack_ftp' --modules "$temp/helper" exports

mapfile -t symbols < <(exports_without nf_conntrack_locks)
planted excepted nf_conntrack 1 "${symbols[@]}"
check --modules "$temp/excepted" exports
{
	grep -qE '^ok .*nf_conntrack: all that stock modules import \(1 excepted\)' "$temp/log" || cat "$temp/log"
} | verdict "what only stock nf_conntrack_netlink wants is excepted, and counted"

planted open nf_conncount 0 nf_conncount_init
red "an export not for GPL modules only" 'nf_conncount_init: not GPL only' --modules "$temp/open" exports

planted twice nf_extra 1 nf_conncount_init
red "an export that another module has" 'nf_conncount_init: exported by nf_conncount and nf_extra' \
	--modules "$temp/twice" exports

mkdir "$temp/nowhere"
echo 'void no_such_symbol(void); void f(void); void f(void) { no_such_symbol(); }' |
	gcc -c -x c -o "$temp/nowhere/nf_extra.ko" -
red "an import that nobody exports" '^#  +no_such_symbol' --modules "$temp/nowhere" exports

modinfo=(license=Proprietary "vermagic=6.1.0 SMP mod_unload " "depends=nf_nat,nf_gone")
planted wrong nf_extra 1 nf_extra_symbol
red "a licence that is not GPL" 'license is Proprietary' --modules "$temp/wrong" modinfo
red "... for another kernel" 'vermagic is .*6\.1\.0' --modules "$temp/wrong" modinfo
red "... that depends on nothing that exists" 'depends on nf_gone' --modules "$temp/wrong" modinfo

for symbol in _RNvNtCsabc_4core9panicking9panic_fmt _RNvNtCsabc_4core6option13unwrap_failed \
	_RNvNtNtCsabc_4core5slice5index26slice_start_index_len_fail \
	_RNvNtCsabc_4core9panicking11panic_const24panic_const_add_overflow \
	_RNvNtNtCsabc_4core3str16slice_error_fail _RNvNtCsabc_4core6result13unwrap_failed rust_begin_unwind; do
	mkdir -p "$temp/$symbol"
	echo "void $symbol(void); void parse_hostile(void); void parse_hostile(void) { $symbol(); }" |
		gcc -c -x c -o "$temp/$symbol/nf_extra.ko" -
	red "a panic: $symbol" 'parse_hostile' --modules "$temp/$symbol" panics
done

mkdir "$temp/generic"
gcc -c -x c -o "$temp/generic/nf_extra.ko" - <<'EOF'
void _RNvNtCsabc_4core9panicking19assert_failed_inner(void);
void _RINvNtCsabc_4core9panicking13assert_failedhhE(void);
void parse_hostile(void);
void _RINvNtCsabc_4core9panicking13assert_failedhhE(void) { _RNvNtCsabc_4core9panicking19assert_failed_inner(); }
void parse_hostile(void) { _RINvNtCsabc_4core9panicking13assert_failedhhE(); }
EOF
red "a panic by way of a generic function" 'parse_hostile' --modules "$temp/generic" panics

mkdir "$temp/empty"
red "no modules at all" 'the check itself failed' --modules "$temp/empty" panics

### The README ################################################################

printf '%s\n' '# x' '<!-- status:begin -->' 'All is ours.' '<!-- status:end -->' 'end' >"$temp/README.md"
export CHECK_README=$temp/README.md
red "a README that lies" '\+ .*nf_conncount.*\*\*ours\*\*' --modules "$temp/clean" readme
CHECK_MODULES=$temp/clean tools/check/status --write
green "... put right by status --write" --modules "$temp/clean" readme
tail -n 1 "$temp/README.md" | { grep -vx end || true; } | verdict "... the rest of which stays"
red "... until the modules change" '- .*nf_nat' --modules "$temp/one" readme
unset CHECK_README

### Sources ###################################################################

# tree DIR: sources that pass.
tree() {
	local dir=$temp/$1
	mkdir -p "$dir/rust/netfilter" "$dir/net/netfilter/proto" "$dir/net/netfilter/nf_x/abi"
	cp .rustfmt.toml "$dir/"
	cat >"$dir/rust/netfilter/sound.rs" <<'EOF'
// SPDX-License-Identifier: GPL-2.0
//! unsafe { in a doc comment }

/// A trait.
///
/// # Safety
///
/// Be careful.
pub unsafe trait Careful {
    /// # Safety
    ///
    /// Once.
    unsafe fn once(&self);
}

// SAFETY: It is careful.
unsafe impl Careful for u8 {
    unsafe fn once(&self) {}
}

type Callback = unsafe extern "C" fn(*const u8) -> u8;

/// Reads.
pub fn read<'a>(from: &'a u8, call: Callback) -> u8 {
    /* unsafe { /* nested */ } */
    let _text = (r#"unsafe { "quoted" }"#, "unsafe { \" }", '"', '\'', b'{');
    // SAFETY: `from` is a reference.
    let sum = unsafe { *(from as *const u8) } | unsafe { call(from) };
    sum
        // SAFETY: The same.
        | unsafe { call(from) }
}
EOF
	cat >"$dir/net/netfilter/proto/nf_proto.rs" <<'EOF'
// SPDX-License-Identifier: GPL-2.0
#![forbid(unsafe_code)]

/// Or else.
pub fn or_else(x: Option<u8>) -> u8 {
    x.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn none() {
        assert_eq!(super::or_else(Some(2)), Some(2).unwrap());
    }
}
EOF
	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '#!/bin/sh' '# SPDX-License-Identifier: GPL-2.0' 'echo "$1"' >"$dir/good"
	printf '%s\n' '// SPDX-License-Identifier: GPL-2.0' 'int good(void)' '{' "$(printf '\treturn 0;')" '}' >"$dir/good.c"
}

# fault NAME PATTERN CHECK FILE: a sound tree but for FILE, which is on stdin.
trees=0
fault() {
	trees=$((trees + 1))
	tree "tree$trees"
	mkdir -p "$(dirname "$temp/tree$trees/$4")"
	cat >"$temp/tree$trees/$4"
	red "$1" "$2" --source "$temp/tree$trees" "$3"
}
spdx='// SPDX-License-Identifier: GPL-2.0'

tree sound
green "sound sources pass" --source "$temp/sound" style unsafe

fault "an unsafe block without a reason" 'rust/bad.rs:4: unsafe block: no SAFETY' unsafe rust/bad.rs <<EOF
$spdx
// SAFETY: Another one.
fn f(x: *const u8) -> u8 {
    unsafe { *x }
}
EOF
fault "an unsafe impl without a reason" 'rust/bad.rs:3: unsafe impl: no SAFETY' unsafe rust/bad.rs <<EOF
$spdx
struct A(*mut u8);
unsafe impl Send for A {}
EOF
fault "an unsafe fn without a # Safety section" 'rust/bad.rs:3: unsafe fn: no .# Safety' unsafe rust/bad.rs <<EOF
$spdx
/// Does it.
pub unsafe extern "C" fn f() {}
EOF
fault "unsafe in a module's logic" 'nf_x/logic.rs:4: unsafe block' unsafe net/netfilter/nf_x/logic.rs <<EOF
$spdx
fn f(x: *const u8) -> u8 {
    // SAFETY: Valid.
    unsafe { *x }
}
EOF
fault "nf_proto that does not forbid unsafe" 'no forbid' unsafe net/netfilter/proto/nf_proto.rs <<EOF
$spdx
// #![forbid(unsafe_code)]
EOF
fault "a bad shell script" 'SC2086' style bad <<'EOF'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
rm $1
EOF
fault "Rust that is not formatted" 'rust/bad.rs:1: rustfmt' style rust/bad.rs <<EOF
$spdx
fn  f( ) {}
EOF
fault "C that checkpatch calls an error" 'bad.c:.*ERROR' style bad.c <<EOF
$spdx
int f(void) {
	return(0) ;
}
EOF
fault "a file without a licence" 'bad.c: no SPDX' style bad.c <<<'int f(void);'
fault "another licence" 'bad.c: no SPDX' style bad.c <<<"${spdx%GPL*}MIT"
fault "a path of a machine" 'bad.txt:2' style bad.txt < <(printf '%s\n/%s/main\n' "$spdx" work)
fault "a package host" 'bad.txt:2: deb\.' style bad.txt < <(printf '%s\ndeb.%s.org\n' "$spdx" debian)
fault "other settings of rustfmt" 'here only: max_width' style .rustfmt.toml < <(
	cat .rustfmt.toml
	echo 'max_width = 120'
)
fault "unwrap()" 'nf_x/bad.rs:3: unwrap\(\)' style net/netfilter/nf_x/bad.rs <<EOF
$spdx
fn f(x: Option<u8>) -> u8 {
    x.unwrap()
}
EOF
fault "todo!" 'rust/bad.rs:3: todo!' style rust/bad.rs <<EOF
$spdx
fn f() {
    todo!()
}
EOF

### Clippy ####################################################################

# workspace DIR: a crate nf_proto, whose text is on stdin.
workspace() {
	mkdir -p "$temp/$1/tools/testing/host"
	cat >"$temp/$1/nf_proto.rs"
	cat >"$temp/$1/tools/testing/host/Cargo.toml" <<'EOF'
[package]
name = "nf_proto"
version = "0.0.0"
edition = "2021"
[lib]
path = "../../../nf_proto.rs"
EOF
}

export CHECK_CLIPPY=host
workspace tidy < <(printf '//! Doc.\n/// Doc.\npub fn f() {}\n')
green "a crate without findings passes clippy" --source "$temp/tidy" clippy
workspace bare < <(printf '//! Doc.\npub fn f() {}\n')
red "a public function without documentation" 'nf_proto.rs:2:1: error: missing documentation' \
	--source "$temp/bare" clippy
workspace lint < <(printf '//! Doc.\n/// Doc.\npub fn f(x: bool) -> bool {\n    return x == true;\n}\n')
red "what clippy minds" 'nf_proto.rs:4:.*error' --source "$temp/lint" clippy
unset CHECK_CLIPPY

printf '1..%d\n%d passed, %d failed, 0 skipped\n' $((passed + failed)) "$passed" "$failed"
[ "$failed" = 0 ]
