// SPDX-License-Identifier: GPL-2.0

//! NAT for IRC's DCC: the drop-in for the stock `nf_nat_irc.ko`. It lends
//! the helper, which does all the reading and writing, what nf_nat can do.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::helper::LoadedHalf;

module! {
    type: NatIrc,
    name: "nf_nat_irc",
    authors: ["rustynat"],
    description: "IRC (DCC) NAT helper",
    license: "GPL",
    alias: ["ip_nat_irc"],
}

/// The loaded module.
struct NatIrc {
    _half: LoadedHalf,
}

impl kernel::Module for NatIrc {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let (place, nat) = (&nf_conntrack_irc::NAT, &nf_nat::helper::NAT);
        Ok(NatIrc {
            _half: LoadedHalf::new(place, nat, c"ip_nat_irc", module)?,
        })
    }
}
