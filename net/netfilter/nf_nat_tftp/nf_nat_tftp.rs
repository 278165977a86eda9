// SPDX-License-Identifier: GPL-2.0

//! NAT for TFTP (RFC 1350): the drop-in for the stock `nf_nat_tftp.ko`. It lends
//! the helper, which does all the reading and writing, what nf_nat can do.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::helper::LoadedHalf;

module! {
    type: NatTftp,
    name: "nf_nat_tftp",
    authors: ["rustynat"],
    description: "TFTP NAT helper",
    license: "GPL",
    alias: ["ip_nat_tftp"],
}

/// The loaded module.
struct NatTftp {
    _half: LoadedHalf,
}

impl kernel::Module for NatTftp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let (place, nat) = (&nf_conntrack_tftp::NAT, &nf_nat::helper::NAT);
        Ok(NatTftp {
            _half: LoadedHalf::new(place, nat, c"ip_nat_tftp", module)?,
        })
    }
}
