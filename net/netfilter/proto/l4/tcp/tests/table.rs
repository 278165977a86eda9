// SPDX-License-Identifier: GPL-2.0

//! Every move against what the stock module does.

use super::super::transition::{next_of, Kind, Move};
use super::*;
use Direction::{Original, Reply};

/// Kind, direction; then a letter a state, in the order of their numbers: where
/// the stock module goes. `.` is ignored, `-` INVALID.
const STOCK: [(Kind, Direction, &str); 12] = [
    //                       nsreflctx2: NONE, SYN_SENT, ... CLOSE, SYN_SENT2
    (Kind::Syn, Original, "ss.....ss2"),
    (Kind::SynAck, Original, "--r------r"),
    (Kind::Fin, Original, "--fflllTx-"),
    (Kind::Ack, Original, "e-eeccTTx-"),
    (Kind::Rst, Original, "-xxxxxxxxx"),
    (Kind::Bare, Original, "----------"),
    (Kind::Syn, Reply, "-2-----s-2"),
    (Kind::SynAck, Reply, "-r.......r"),
    (Kind::Fin, Reply, "--fflllTx-"),
    (Kind::Ack, Reply, "-.reccTTx."),
    (Kind::Rst, Reply, "-xxxxxxxxx"),
    (Kind::Bare, Reply, "----------"),
];

#[test]
fn every_move() {
    for (kind, direction, row) in STOCK {
        assert_eq!(row.len(), 10);
        for (number, letter) in (0u8..).zip(row.chars()) {
            let state = TcpConntrack::from_number(number).unwrap();
            let expected = match letter {
                '.' => Move::Ignore,
                '-' => Move::Invalid,
                letter => Move::To(match letter {
                    's' => TcpConntrack::SynSent,
                    'r' => TcpConntrack::SynRecv,
                    'e' => TcpConntrack::Established,
                    'f' => TcpConntrack::FinWait,
                    'c' => TcpConntrack::CloseWait,
                    'l' => TcpConntrack::LastAck,
                    'T' => TcpConntrack::TimeWait,
                    'x' => TcpConntrack::Close,
                    '2' => TcpConntrack::SynSent2,
                    _ => panic!("{letter}"),
                }),
            };
            let got = next_of(state, kind, direction);
            assert_eq!(got, expected, "{kind:?} {direction:?} in {state:?}");
        }
    }
}

#[test]
fn kinds() {
    for (bits, kind) in [
        (Flags::SYN, Kind::Syn),
        (Flags::SYN | Flags::URG, Kind::Syn),
        (Flags::SYN | Flags::ACK, Kind::SynAck),
        (Flags::FIN | Flags::ACK, Kind::Fin),
        (Flags::ACK | Flags::PSH, Kind::Ack),
        (Flags::RST, Kind::Rst),
        (Flags::RST | Flags::ACK, Kind::Rst),
        (0, Kind::Bare),
    ] {
        assert_eq!(Kind::of(Flags(bits)), kind);
    }
}

#[test]
fn numbers_and_names() {
    let names = [
        "NONE",
        "SYN_SENT",
        "SYN_RECV",
        "ESTABLISHED",
        "FIN_WAIT",
        "CLOSE_WAIT",
        "LAST_ACK",
        "TIME_WAIT",
        "CLOSE",
        "SYN_SENT2",
    ];
    for (number, name) in (0u8..).zip(names) {
        let state = TcpConntrack::try_from(number).unwrap();
        assert_eq!((state as u8, state.name()), (number, name));
    }
    for number in 10..=255 {
        assert_eq!(TcpConntrack::try_from(number), Err(UnknownState));
    }
}
