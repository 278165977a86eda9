// SPDX-License-Identifier: GPL-2.0

//! What is said about a connection, and in which order.

use crate::{attr::*, protoinfo, tuple};
use core::{cell::Cell, sync::atomic::Ordering};
use netfilter::{
    conntrack::{account, conn::now, helper::Help, labels, seqadj, Conn, Status, HZ},
    nlattr::Writer,
};
use nf_bindings as bindings;
use nf_conntrack::store;
use nf_proto::{be::Be32, seqadj::SeqAdj, tuple::Direction};

use bindings::{
    ctattr_counters_CTA_COUNTERS_BYTES as CTA_COUNTERS_BYTES,
    ctattr_counters_CTA_COUNTERS_PACKETS as CTA_COUNTERS_PACKETS,
    ctattr_help_CTA_HELP_NAME as CTA_HELP_NAME, ctattr_secctx_CTA_SECCTX_NAME as CTA_SECCTX_NAME,
    ctattr_seqadj_CTA_SEQADJ_CORRECTION_POS as CTA_SEQADJ_CORRECTION_POS,
    ctattr_seqadj_CTA_SEQADJ_OFFSET_AFTER as CTA_SEQADJ_OFFSET_AFTER,
    ctattr_seqadj_CTA_SEQADJ_OFFSET_BEFORE as CTA_SEQADJ_OFFSET_BEFORE,
    ctattr_synproxy_CTA_SYNPROXY_ISN as CTA_SYNPROXY_ISN,
    ctattr_synproxy_CTA_SYNPROXY_ITS as CTA_SYNPROXY_ITS,
    ctattr_synproxy_CTA_SYNPROXY_TSOFF as CTA_SYNPROXY_TSOFF,
    ctattr_tstamp_CTA_TIMESTAMP_START as CTA_TIMESTAMP_START,
    ctattr_tstamp_CTA_TIMESTAMP_STOP as CTA_TIMESTAMP_STOP,
};

/// A connection, as messages tell of it: what was shown of its counters is
/// known afterwards.
pub(crate) struct Shown<'c> {
    conn: &'c Conn,
    counters: Cell<[Option<(u64, u64)>; 2]>,
}

impl<'c> Shown<'c> {
    /// Nothing is told yet.
    pub(crate) fn new(conn: &'c Conn) -> Self {
        Shown {
            conn,
            counters: Cell::new([None; 2]),
        }
    }

    /// Takes the counts that were shown off the counters. (Setting these to zero
    /// would lose what was counted meanwhile, and all if the message had no
    /// room.)
    pub(crate) fn reset_counters(&self) {
        let [original, reply] = self.counters.get();
        for (direction, counts) in [(Direction::Original, original), (Direction::Reply, reply)] {
            if let Some((packets, bytes)) = counts {
                self.conn.uncount(direction, packets, bytes);
            }
        }
    }

    /// All there is to say: the answer to who asks for connections. `references`
    /// of those that there are to it are the asker's.
    pub(crate) fn all(&self, writer: &mut Writer<'_>, references: u32) {
        self.info(writer, references);
        self.counters(writer);
        self.timestamps(writer);
        self.helper(writer);
        self.labels(writer);
        self.sequence_adjustment(writer);
        self.synproxy(writer);
    }

    fn info(&self, writer: &mut Writer<'_>, references: u32) {
        let status = self.conn.status();
        self.tuples(writer);
        self.status(writer);
        self.mark(writer);
        self.security_context(writer);
        self.id(writer);
        writer.number(CTA_USE, self.conn.use_count().saturating_sub(references));
        self.master(writer);
        if !status.has(Status::OFFLOAD) {
            self.timeout(writer);
            self.protocol(writer, false);
        }
    }

    /// What is said in all messages: tuples and zone.
    pub(crate) fn tuples(&self, writer: &mut Writer<'_>) {
        let zone = self.conn.zone();
        for (number, direction) in [
            (CTA_TUPLE_ORIG, Direction::Original),
            (CTA_TUPLE_REPLY, Direction::Reply),
        ] {
            writer.nest(number, |writer| {
                tuple::write(writer, self.conn.tuple(direction));
                tuple::write_zone(writer, zone, direction);
            });
        }
        if zone.raw_id() != 0 && zone.directions() == tuple::BOTH {
            writer.be16(CTA_ZONE, nf_proto::be::Be16::new(zone.raw_id()));
        }
    }

    pub(crate) fn id(&self, writer: &mut Writer<'_>) {
        writer.u32(CTA_ID, store::id(self.conn));
    }

    pub(crate) fn status(&self, writer: &mut Writer<'_>) {
        writer.number(CTA_STATUS, self.conn.status().0 as u32);
    }

    /// Seconds until it expires.
    fn seconds(&self) -> u32 {
        let jiffies = if self.conn.is_confirmed() {
            self.conn.expires(now())
        } else {
            self.conn.timeout()
        };
        jiffies / HZ
    }

    pub(crate) fn timeout(&self, writer: &mut Writer<'_>) {
        writer.number(CTA_TIMEOUT, self.seconds());
    }

    /// The rest of the life of a connection that has ended before its time.
    pub(crate) fn timeout_left(&self, writer: &mut Writer<'_>) {
        match self.seconds() {
            0 => {}
            seconds => {
                writer.number(CTA_TIMEOUT, seconds);
            }
        }
    }

    pub(crate) fn protocol(&self, writer: &mut Writer<'_>, is_over: bool) {
        protoinfo::write(writer, self.conn, is_over);
    }

    pub(crate) fn mark(&self, writer: &mut Writer<'_>) {
        writer.number(CTA_MARK, self.conn.mark());
    }

    pub(crate) fn mark_if_any(&self, writer: &mut Writer<'_>) {
        if self.conn.mark() != 0 {
            self.mark(writer);
        }
    }

    pub(crate) fn counters(&self, writer: &mut Writer<'_>) {
        let read = |direction| account::read(self.conn, direction);
        let counters = [read(Direction::Original), read(Direction::Reply)];
        self.counters.set(counters);
        let [original, reply] = counters;
        for (number, counts) in [(CTA_COUNTERS_ORIG, original), (CTA_COUNTERS_REPLY, reply)] {
            let Some((packets, bytes)) = counts else {
                continue;
            };
            writer.nest(number, |writer| {
                writer
                    .be64(CTA_COUNTERS_PACKETS, packets)
                    .be64(CTA_COUNTERS_BYTES, bytes);
            });
        }
    }

    pub(crate) fn timestamps(&self, writer: &mut Writer<'_>) {
        let Some((start, stop)) = self.conn.times() else {
            return;
        };
        writer.nest(CTA_TIMESTAMP, |writer| {
            writer.be64(CTA_TIMESTAMP_START, start);
            if stop != 0 {
                writer.be64(CTA_TIMESTAMP_STOP, stop);
            }
        });
    }

    pub(crate) fn event_time(&self, writer: &mut Writer<'_>) {
        if let Some(time) = self.conn.event_time() {
            writer.be64(CTA_TIMESTAMP_EVENT, time);
        }
    }

    pub(crate) fn helper(&self, writer: &mut Writer<'_>) {
        let Some(help) = Help::of(self.conn) else {
            return;
        };
        let rcu = kernel::sync::rcu::read_lock();
        if let Some(helper) = help.helper(&rcu) {
            writer.nest(CTA_HELP, |writer| {
                writer.text(CTA_HELP_NAME, helper.name());
                helper.write_info(writer, self.conn);
            });
        }
    }

    pub(crate) fn labels(&self, writer: &mut Writer<'_>) {
        let Some(words) = labels::words(self.conn) else {
            return;
        };
        let [a, b, c, d] = words.each_ref().map(|word| word.load(Ordering::Relaxed));
        if a | b | c | d != 0 {
            // Bits in words in this machine's byte order.
            writer.address(CTA_LABELS, [a, b, c, d].map(Be32::from_raw));
        }
    }

    pub(crate) fn sequence_adjustment(&self, writer: &mut Writer<'_>) {
        if !self.conn.status().has(Status::SEQ_ADJUST) {
            return;
        }
        let Some([original, reply]) = seqadj::with(self.conn, |both| *both) else {
            return;
        };
        let mut one = |number: u32, adjustment: SeqAdj| {
            writer.nest(number, |writer| {
                writer
                    .number(CTA_SEQADJ_CORRECTION_POS, adjustment.correction_pos)
                    .number(CTA_SEQADJ_OFFSET_BEFORE, adjustment.offset_before as u32)
                    .number(CTA_SEQADJ_OFFSET_AFTER, adjustment.offset_after as u32);
            });
        };
        one(CTA_SEQ_ADJ_ORIG, original);
        one(CTA_SEQ_ADJ_REPLY, reply);
    }

    pub(crate) fn synproxy(&self, writer: &mut Writer<'_>) {
        let Some(synproxy) = self.conn.synproxy() else {
            return;
        };
        writer.nest(CTA_SYNPROXY, |writer| {
            writer
                .number(CTA_SYNPROXY_ISN, synproxy.isn)
                .number(CTA_SYNPROXY_ITS, synproxy.its)
                .number(CTA_SYNPROXY_TSOFF, synproxy.tsoff);
        });
    }

    pub(crate) fn security_context(&self, writer: &mut Writer<'_>) {
        writer.security_context(CTA_SECCTX, CTA_SECCTX_NAME, self.conn.secmark());
    }

    pub(crate) fn master(&self, writer: &mut Writer<'_>) {
        if !self.conn.status().has(Status::EXPECTED) {
            return;
        }
        if let Some(master) = self.conn.master() {
            writer.nest(CTA_TUPLE_MASTER, |writer| {
                tuple::write(writer, master.tuple(Direction::Original));
            });
        }
    }
}
