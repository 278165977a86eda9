// SPDX-License-Identifier: GPL-2.0

//! RAS: where calls go.

use crate::{
    abi,
    work::{full, Work},
    Ras, LONGEST, NAT, Q931,
};
use kernel::sync::rcu;
use netfilter::conntrack::{
    conn::now,
    expect::ExpectLock,
    helper::{Help, Why},
    skb::Packet,
    Conn, Info, Status, HZ,
};
use nf_conntrack::{expect, proto};
use nf_proto::{
    alg::h323::{
        self,
        state::State,
        translate::{self, Side},
        Bad, Endpoint, Found, Kind, Role,
    },
    be::Be16,
    expect as rules,
    l4::number,
};

/// How long there is for the answer to who wants to be registered no more, in
/// seconds.
const LAST_ANSWER: u32 = 30;

/// Follows a datagram. What cannot be read is let through.
pub(crate) fn follow(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(payload) = packet.datagram(transport) else {
        return Ok(());
    };
    let payload = payload.get(..LONGEST).unwrap_or(payload);
    let rcu = rcu::read_lock();
    let state = help.remember(conn, |state: &mut State| *state);
    let mut work = Work::new(conn, help, info.direction(), state, NAT.of(conn, &rcu));
    let mut found = Found::new();
    match h323::ras(payload, 0, work.family, &mut found) {
        Ok(()) => work.ras(payload, &found)?,
        Err(Bad::Much) if work.nat.is_some() => return Err(c"too many addresses"),
        Err(_) => return Ok(()),
    }
    let (kind, seconds) = (found.kind(), work.state.seconds);
    let lives = Lives {
        conn,
        help,
        info,
        destination: work.ends.destination,
        port: *info.direction().opposite().of(&work.state.signal),
    };
    work.finish(packet, info, transport)?;
    lives.on(kind, seconds);
    Ok(())
}

impl Work<'_> {
    fn ras(&mut self, payload: &[u8], found: &Found) -> Result<(), Why> {
        let first = |role| found.of(role).find_map(|place| place.endpoint(payload));
        match found.kind() {
            Kind::GatekeeperConfirm => {
                if let Some(endpoint) = first(Role::Ras) {
                    self.gatekeeper(endpoint)?;
                }
            }
            Kind::RegistrationRequest => {
                self.calls(payload, found)?;
                self.state.seconds = found.seconds().unwrap_or_else(abi::default_rrq_ttl);
            }
            Kind::RegistrationConfirm => {
                if let Some(seconds) = found.seconds() {
                    self.state.seconds = seconds;
                }
            }
            Kind::AdmissionConfirm => {
                if !translate::is_answer(found, payload, &self.ends) {
                    if let Some(endpoint) = first(Role::Destination) {
                        self.call_to(endpoint)?;
                    }
                }
            }
            Kind::LocationConfirm => {
                if let Some(endpoint) = first(Role::CallSignal) {
                    self.call_to(endpoint)?;
                }
            }
            _ => {}
        }
        if self.nat.is_some() {
            let rewrites = &mut self.rewrites;
            // As it was before this message, but for a new registration, whose
            // address is written already.
            translate::ras(
                found,
                payload,
                &self.ends,
                &self.state,
                self.direction,
                rewrites,
            )
            .map_err(full)?;
        }
        if found.kind() == Kind::UnregistrationRequest {
            self.state.signal = [Be16::new(0); 2];
        }
        Ok(())
    }

    /// A gatekeeper wants to be asked at another address.
    fn gatekeeper(&mut self, endpoint: Endpoint) -> Result<(), Why> {
        // None is found by a message to one that was found so.
        if endpoint == self.ends.source
            || endpoint.port.get() == 0
            || self.conn.status().has(Status::EXPECTED)
        {
            return Ok(());
        }
        let exp = self.new_expect(true, &endpoint.address, number::UDP, endpoint.port)?;
        self.assign::<Ras>(&exp)?;
        self.related(exp)
    }

    /// A call goes where the gatekeeper says.
    fn call_to(&mut self, endpoint: Endpoint) -> Result<(), Why> {
        if endpoint.port.get() == 0 {
            return Ok(());
        }
        let exp = self.new_expect(true, &endpoint.address, number::TCP, endpoint.port)?;
        self.assign::<Q931>(&exp)?;
        self.stays(&exp);
        self.related(exp)
    }

    /// An endpoint registers: calls to it are expected.
    fn calls(&mut self, payload: &[u8], found: &Found) -> Result<(), Why> {
        let own = |endpoint: &Endpoint| {
            endpoint.address == self.ends.source.address && endpoint.port.get() != 0
        };
        let all = found.of(Role::CallSignal);
        let Some(said) = all.filter_map(|place| place.endpoint(payload)).find(own) else {
            return Ok(());
        };
        let to = self.ends.new_source.address;
        let mut exp = self.new_expect(abi::gkrouted_only(), &to, number::TCP, said.port)?;
        self.assign::<Q931>(&exp)?;
        self.stays(&exp);
        let Some(nat) = self.nat else {
            self.related(exp)?;
            // To be found when the registration is confirmed.
            self.set_signal(said.port, said.port);
            return Ok(());
        };
        (nat.follow_call)(&mut exp, self.direction.opposite());
        let port = self.known_signal(said.port).get();
        let port = (nat.expect)(&mut exp, port).ok_or(c"all ports in use")?;
        let port = Be16::new(port);
        self.made.add(exp)?;
        self.set_signal(said.port, port);
        let which = |endpoint: &Endpoint| *endpoint == said;
        let role = Role::CallSignal;
        translate::signal(
            found,
            payload,
            role,
            Side::Source,
            port,
            which,
            &mut self.rewrites,
        )
        .map_err(full)
    }
}

/// How long the connection and what it expects live.
struct Lives<'c> {
    conn: &'c Conn,
    help: Help<'c>,
    info: Info,
    /// Where the packet goes to, before translation.
    destination: Endpoint,
    /// Where calls are expected, if the packet is an answer.
    port: Be16,
}

impl Lives<'_> {
    fn on(&self, kind: Kind, seconds: u32) {
        match kind {
            Kind::RegistrationConfirm if seconds != 0 => {
                self.refresh(seconds);
                let lock = ExpectLock::take();
                let calls = lock.list(&self.help).find(|exp| {
                    let to = &exp.tuple().dst;
                    to.protocol == number::TCP
                        && to.address == self.destination.address
                        && to.id == self.port
                });
                if let Some(calls) = calls {
                    calls.set_timeout(rules::expiry(now(), seconds, HZ));
                }
            }
            Kind::UnregistrationRequest => {
                expect::remove_all(self.conn);
                self.refresh(LAST_ANSWER);
            }
            _ => {}
        }
    }

    fn refresh(&self, seconds: u32) {
        let timeout = rules::span(seconds, HZ);
        proto::refresh(self.conn, self.info.direction(), timeout, 0);
    }
}
