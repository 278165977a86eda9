// SPDX-License-Identifier: GPL-2.0

//! Calls: the streams of sound and pictures that belong to them.

use crate::{
    abi,
    work::{Translation, Work},
    Nat, SIGNALLING,
};
use kernel::sync::rcu;
use netfilter::conntrack::{
    expect::{ExpectLock, NewExpect},
    helper::Why,
};
use nf_bindings as bindings;
use nf_conntrack::expect::{self, Wanted};
use nf_proto::{
    alg::sip::{
        message::Message,
        sdp::{Media, Session},
        streams::{self, Refused},
        translate::View,
        Endpoint,
    },
    be::Be16,
    l4::number,
    tuple::{Address, Destination, Source, Tuple},
};

impl<'c> Work<'_, '_, 'c, '_> {
    /// Expects what the message's session description announces.
    pub(crate) fn session(&mut self, message: &Message<'_>) -> Result<(), Why> {
        let view = self.view;
        let Some(session) = Session::of(message, view.family) else {
            return Ok(());
        };
        let mut translation = self.translation.take();
        let (nat, changes) = match &mut translation {
            Some(Translation { nat, changes }) => (Some(*nat), Some((&view, changes))),
            None => (None, None),
        };
        let done = streams::each(&session, changes, |media| self.stream(media, nat));
        self.translation = translation;
        done.map_err(|refused| match refused {
            Refused::Wrong => c"cannot parse SDP message",
            Refused::TooMuch => c"cannot mangle SDP",
            Refused::Place(why) => why,
        })
    }

    /// Expects a stream. Where it is announced to be instead: the first port of
    /// a pair.
    fn stream(&mut self, media: &Media, nat: Option<&'c Nat>) -> Result<Endpoint, Why> {
        let announced = Endpoint {
            address: media.address,
            port: Be16::new(media.port),
        };
        // Where media may come from.
        let mut from = None;
        if abi::direct_media() {
            if announced.address != self.view.source.address {
                return Ok(announced);
            }
            from = Some(self.view.new_destination.address);
        } else if abi::external_media()
            && self
                .packet
                .leaves_towards(self.conn.net(), self.view.family, &announced.address)
        {
            return Ok(announced);
        }
        let class = media.kind as u32;
        let known = self.look_up(announced, from, class, nat.is_some());
        let to = match &known {
            Known::No => announced,
            Known::Behind(to) | Known::Both(to) => *to,
            Known::Here => return Ok(announced),
        };
        let port = to.port.get() & !1;
        let to = Endpoint {
            port: Be16::new(port),
            ..to
        };
        match known {
            Known::Both(_) => Ok(to),
            Known::No => self.place(to, from, class, nat),
            // Within the network the media may pass by without NAT.
            _ => self.place(to, from, class, None),
        }
    }

    /// The same media may have been announced on another connection: several
    /// phones are called, or the call goes through us twice.
    fn look_up(&self, at: Endpoint, from: Option<Address>, class: u32, nat: bool) -> Known {
        let rcu = rcu::read_lock();
        let Some(helper) = self.help.helper(&rcu) else {
            return Known::No;
        };
        let (net, zone) = (self.conn.net(), self.conn.zone());
        let find = |at: &Endpoint| {
            let tuple = Tuple {
                src: Source {
                    address: from.unwrap_or_default(),
                    id: Be16::new(0),
                    l3num: self.conn.l3num(),
                },
                dst: Destination {
                    address: at.address,
                    id: at.port,
                    protocol: number::UDP,
                    direction: 0,
                },
            };
            expect::find_rcu(&rcu, net, zone, &tuple)
                .filter(|exp| !exp.is_of(self.conn) && exp.is_by(helper) && exp.class() == class)
        };
        let Some(exp) = find(&at) else {
            return Known::No;
        };
        let behind = Endpoint {
            address: exp.saved_address(),
            port: exp.saved_id(),
        };
        if !nat {
            return Known::Here;
        }
        if exp.function() == 0 || behind == at {
            return Known::No;
        }
        // Both are translated: their ends are likely to reach each other.
        match find(&behind) {
            Some(_) => Known::Both(behind),
            None => Known::Behind(behind),
        }
    }

    /// Expects a stream at a pair of ports. Where it is announced to be: with NAT
    /// elsewhere.
    fn place(
        &mut self,
        to: Endpoint,
        from: Option<Address>,
        class: u32,
        nat: Option<&Nat>,
    ) -> Result<Endpoint, Why> {
        let next = Be16::new(to.port.get().wrapping_add(1));
        let mut rtp = self.describe(&to.address, to.port, from.as_ref(), class)?;
        let mut rtcp = self.describe(&to.address, next, from.as_ref(), class)?;
        let Some(nat) = nat else {
            for exp in [rtp, rtcp] {
                self.related(exp)?;
            }
            return Ok(to);
        };
        let outside = outside(&self.view, to.address);
        for exp in [&mut rtp, &mut rtcp] {
            (nat.follow)(exp, outside, self.direction.opposite());
        }
        let port = (nat.expect_pair)([&mut rtp, &mut rtcp], to.port.get())
            .ok_or(c"all ports in use for SDP media")?;
        // The second is withdrawn if there is no room for the first.
        let added = self.made.add(rtp);
        self.made.add(rtcp)?;
        added?;
        Ok(Endpoint {
            address: outside,
            port: Be16::new(port),
        })
    }

    fn describe(
        &self,
        to: &Address,
        port: Be16,
        from: Option<&Address>,
        class: u32,
    ) -> Result<NewExpect<'c>, Why> {
        let mut exp = NewExpect::alloc(self.conn).ok_or(c"cannot alloc expectation")?;
        let wanted = Wanted {
            class,
            l3num: self.conn.l3num(),
            source: from,
            destination: to,
            protocol: number::UDP,
            source_port: None,
            port,
        };
        expect::describe(&mut exp, &wanted);
        Ok(exp)
    }

    /// Expects it, if it is not expected already: some announce the same port
    /// twice, or on several connections.
    fn related(&mut self, exp: NewExpect<'c>) -> Result<(), Why> {
        match expect::related(&exp, 0, 0, bindings::NF_CT_EXP_F_SKIP_MASTER) {
            Ok(()) => self.made.add(exp),
            Err(error) if error.to_errno() == -(bindings::EALREADY as i32) => Ok(()),
            Err(_) => Err(c"cannot add expectation for voice"),
        }
    }

    /// The call is over: what media are still expected do not come.
    pub(crate) fn end_media(&self) {
        self.end(|class| class != SIGNALLING);
    }

    /// The client is not registered any more.
    pub(crate) fn end_signalling(&self) {
        self.end(|class| class == SIGNALLING);
    }

    fn end(&self, wanted: impl Fn(u32) -> bool) {
        let lock = ExpectLock::take();
        for exp in lock.list(&self.help) {
            if wanted(exp.class()) {
                expect::remove(&lock, exp, 0, 0);
            }
        }
    }
}

/// Under which address the others know what is at `inside`, if it is at the
/// sender's side.
pub(crate) fn outside(view: &View, inside: Address) -> Address {
    if view.source.address == view.new_source.address {
        inside
    } else {
        view.new_source.address
    }
}

/// What is known of announced media.
enum Known {
    /// They are new, or announced again on the same connection, or expected by
    /// one without NAT, where others do not see them.
    No,
    /// They are expected as they are, and there is no NAT.
    Here,
    /// They are expected, and really are here.
    Behind(Endpoint),
    /// And they are expected there as well.
    Both(Endpoint),
}
