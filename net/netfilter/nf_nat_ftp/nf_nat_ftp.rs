// SPDX-License-Identifier: GPL-2.0

//! NAT for FTP (RFC 959): the drop-in for the stock `nf_nat_ftp.ko`. It lends
//! the helper, which does all the reading and writing, what nf_nat can do.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::helper::LoadedHalf;

module! {
    type: NatFtp,
    name: "nf_nat_ftp",
    authors: ["rustynat"],
    description: "ftp NAT helper",
    license: "GPL",
    alias: ["ip_nat_ftp"],
}

/// The loaded module.
struct NatFtp {
    _half: LoadedHalf,
}

impl kernel::Module for NatFtp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let (place, nat) = (&nf_conntrack_ftp::NAT, &nf_nat::helper::NAT);
        Ok(NatFtp {
            _half: LoadedHalf::new(place, nat, c"ip_nat_ftp", module)?,
        })
    }
}
