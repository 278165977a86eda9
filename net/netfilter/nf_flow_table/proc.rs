// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/stat/nf_flowtable`: what hardware was asked to do, a line for each
//! CPU. It is asked nothing.

use netfilter::{
    conntrack::{
        proc::{Content, Output},
        Net,
    },
    percpu::Cpu,
};

/// The file.
pub struct Statistics;

/// The first possible CPU from this number on.
fn cpu(from: u32) -> Option<u32> {
    Cpu::from(from).map(|cpu| cpu.number())
}

impl Content for Statistics {
    fn positions() -> u32 {
        let mut number = 0u32;
        while let Some(found) = cpu(number) {
            number = found.saturating_add(1);
        }
        number.saturating_add(1)
    }

    fn show(position: u32, _net: Net, out: &mut Output) {
        match position.checked_sub(1) {
            None => {
                out.text(b"wq_add   wq_del   wq_stats\n");
            }
            Some(number) if cpu(number) == Some(number) => {
                out.text(b"       0        0        0\n");
            }
            Some(_) => {}
        }
    }
}
