// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/stat/nf_flowtable`: how much is still to be asked of hardware, a
//! line for each CPU. What one CPU asks for, another may have done: only the sums
//! say something.

use crate::abi::hardware::{self, Command};
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

/// A number in eight columns.
fn column(out: &mut Output, number: i32) {
    let (magnitude, negative) = (number.unsigned_abs(), number < 0);
    let mut room = if negative { 6u32 } else { 7 };
    let mut rest = magnitude;
    while rest > 9 {
        rest /= 10;
        room = room.saturating_sub(1);
    }
    for _ in 0..room {
        out.text(b" ");
    }
    if negative {
        out.text(b"-");
    }
    out.number(magnitude);
}

impl Content for Statistics {
    fn positions() -> u32 {
        let mut number = 0u32;
        while let Some(found) = cpu(number) {
            number = found.saturating_add(1);
        }
        number.saturating_add(1)
    }

    fn show(position: u32, net: Net, out: &mut Output) {
        let Some(number) = position.checked_sub(1) else {
            out.text(b"wq_add   wq_del   wq_stats\n");
            return;
        };
        let Some(cpu) = Cpu::from(number).filter(|cpu| cpu.number() == number) else {
            return;
        };
        column(out, hardware::waiting(net, cpu, Command::Add));
        out.text(b" ");
        column(out, hardware::waiting(net, cpu, Command::Destroy));
        out.text(b" ");
        column(out, hardware::waiting(net, cpu, Command::Stats));
        out.text(b"\n");
    }
}
