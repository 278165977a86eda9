// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/nf_conntrack_expect`.

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    conn::now,
    expect::{self, flag, Chain, Expect},
    proc::{self, Content, Output},
    Net, HZ,
};

const NAME: &CStr = c"nf_conntrack_expect";

struct Expectations;

impl Content for Expectations {
    fn positions() -> u32 {
        expect::size()
    }

    fn show(position: u32, net: Net, out: &mut Output) {
        let Some(chain) = Chain::number(position) else {
            return;
        };
        let rcu = rcu::read_lock();
        let now = now();
        for exp in chain
            .iter(&rcu)
            .filter(|exp| exp.is_in(net) && !exp.is_over(now))
        {
            show(exp, exp.timeout().wrapping_sub(now) as i32, &rcu, out);
        }
    }
}

fn show(exp: &Expect, left: i32, rcu: &rcu::Guard, out: &mut Output) {
    let tuple = exp.tuple();
    // It may have come to its end since.
    out.number(left.max(0) as u32 / HZ)
        .text(b" l3proto = ")
        .number(tuple.src.l3num.into())
        .text(b" proto=")
        .number(tuple.dst.protocol.into())
        .text(b" ")
        .tuple(tuple);
    let flags = exp.flags();
    let mut separator: &[u8] = b"";
    for (flag, name) in [
        (flag::PERMANENT, &b"PERMANENT"[..]),
        (flag::INACTIVE, b"INACTIVE"),
        (flag::USERSPACE, b"USERSPACE"),
    ] {
        if flags & flag != 0 {
            out.text(separator).text(name);
            separator = b",";
        }
    }
    if let Some(helper) = exp.helper(rcu) {
        if flags != 0 {
            out.text(b" ");
        }
        out.text(helper.name());
        let class = helper.class_name(exp.class());
        if !class.is_empty() {
            out.text(b"/").text(class);
        }
    }
    out.text(b"\n");
}

/// Makes the file of a namespace. Sleeps.
///
/// # Errors
///
/// `ENOMEM`
pub fn proc_init(net: Net) -> Result {
    proc::create::<Expectations>(net, NAME)
}

/// Removes it. Sleeps.
pub fn proc_exit(net: Net) {
    proc::remove(net, NAME);
}
