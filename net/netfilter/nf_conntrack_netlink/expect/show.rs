// SPDX-License-Identifier: GPL-2.0

//! What messages show of an expectation.

use super::attribute as number;
use crate::tuple;
use kernel::sync::rcu;
use netfilter::{
    conntrack::{
        conn::now,
        expect::{Expect, Nat},
        helper::{function_name, EXPECT_FUNCTIONS},
        HZ,
    },
    nlattr::Writer,
};
use nf_bindings::NF_CT_EXPECT_MASK;
use nf_conntrack::expect::id;
use nf_proto::{
    be::{Be16, Be32},
    tuple::{Address, Tuple},
};

/// All attributes of an expectation. Its master need not be there any more.
pub(super) fn show(message: &mut Writer<'_>, exp: &Expect, rcu: &rcu::Guard) {
    message
        .nest(number::TUPLE, |nest| tuple::write(nest, exp.tuple()))
        .nest(number::MASK, |nest| tuple::write(nest, &mask(exp)))
        .nest(number::MASTER, |nest| {
            tuple::write(nest, exp.master_tuple())
        });
    show_nat(message, exp);
    let left = (exp.timeout().wrapping_sub(now()) as i32).max(0) as u32;
    message
        .number(number::TIMEOUT, left / HZ)
        .number(number::EXPECT_ID, id(exp))
        .number(number::FLAGS, exp.flags() & NF_CT_EXPECT_MASK)
        .number(number::CLASS, exp.class());
    if let Some(helper) = exp.helper(rcu) {
        message.text(number::HELP_NAME, helper.name());
    }
    let function = exp.function();
    let known = EXPECT_FUNCTIONS.find(rcu, |entry| {
        function != 0 && entry.expectfn.is_some_and(|f| f as usize == function)
    });
    if let Some(entry) = known {
        message.text(number::FUNCTION, function_name(entry));
    }
}

/// The mask, as a tuple: what an expectation always says in full has all bits.
fn mask(exp: &Expect) -> Tuple {
    let mut mask = *exp.tuple();
    mask.src.address = exp.mask().address;
    mask.src.id = exp.mask().id;
    mask.dst.address = Address([Be32::from_raw(u32::MAX); 4]);
    mask.dst.id = Be16::from_raw(u16::MAX);
    mask
}

fn show_nat(message: &mut Writer<'_>, exp: &Expect) {
    let nat = exp.nat();
    if nat.address == Nat::default().address && nat.id == Nat::default().id {
        return;
    }
    let mut before = Tuple::default();
    before.src.l3num = exp.master_tuple().src.l3num;
    before.src.address = nat.address;
    before.src.id = nat.id;
    before.dst.protocol = exp.master_tuple().dst.protocol;
    message.nest(number::NAT, |message| {
        message
            .number(number::NAT_DIRECTION, nat.reply.into())
            .nest(number::NAT_TUPLE, |nest| tuple::write(nest, &before));
    });
}
