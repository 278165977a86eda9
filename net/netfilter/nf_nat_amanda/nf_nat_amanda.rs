// SPDX-License-Identifier: GPL-2.0

//! NAT for Amanda: the drop-in for the stock `nf_nat_amanda.ko`. It lends
//! the helper, which does all the reading and writing, what nf_nat can do.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::helper::LoadedHalf;

module! {
    type: NatAmanda,
    name: "nf_nat_amanda",
    authors: ["rustynat"],
    description: "Amanda NAT helper",
    license: "GPL",
    alias: ["ip_nat_amanda"],
}

/// The loaded module.
struct NatAmanda {
    _half: LoadedHalf,
}

impl kernel::Module for NatAmanda {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let (place, nat) = (&nf_conntrack_amanda::NAT, &nf_nat::helper::NAT);
        Ok(NatAmanda {
            _half: LoadedHalf::new(place, nat, c"ip_nat_amanda", module)?,
        })
    }
}
