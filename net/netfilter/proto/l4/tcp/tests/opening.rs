// SPDX-License-Identifier: GPL-2.0

//! How connections begin, and begin again.

use super::*;

#[test]
fn handshake() {
    Player::established();
}

/// Only SYN, or with `loose` an ACK, begins a connection.
#[test]
fn first_segments() {
    let strict = Policy {
        loose: false,
        ..Policy::default()
    };
    for (segment, loose, not_loose) in [
        ("> S 0", "SYN_SENT 120", "SYN_SENT 120"),
        ("> . 0 0", "ESTABLISHED 300", "- !TcpNotSyn"),
        ("> P. 5+100 0", "ESTABLISHED 300", "- !TcpNotSyn"),
        ("> S. 0 0", "- !TcpNotSyn", "- !TcpNotSyn"),
        ("> F. 0 0", "- !TcpNotSyn", "- !TcpNotSyn"),
        ("> R 0", "- !TcpNotSyn", "- !TcpNotSyn"),
        ("> R. 0 0", "- !TcpNotSyn", "- !TcpNotSyn"),
    ] {
        assert_eq!(Player::new().line(segment), loose, "{segment}");
        assert_eq!(Player::with(strict).line(segment), not_loose, "{segment}");
    }
}

/// Picked up in the middle, whatever the scale of its windows.
#[test]
fn picked_up() {
    let mut player = Player::new();
    player.script(&[
        "> . 5000+100 7000        | ESTABLISHED 300",
        "> . 5100+100 7000        | ESTABLISHED 300",
        "< . 7000 5200            | ESTABLISHED 300",
        "< . 7000 5200            | ESTABLISHED 432000 assured",
        "> . 90000+1000 7000      | ESTABLISHED 432000",
    ]);
}

#[test]
fn syn_again() {
    Player::new().script(&[
        "> S 0               | SYN_SENT 120",
        "> S 0               | SYN_SENT keep",
        // Another try of the same ports.
        "> S 5000            | SYN_SENT keep",
        "< S. 0 5001         | SYN_RECV 60",
    ]);

    let mut player = Player::new();
    player.script(&[
        "> S 0               | SYN_SENT 120",
        "> S 80000           | SYN_SENT keep",
        "< S. 0 1            | SYN_SENT keep ?TcpOutOfWindow",
        "< S. 0 80001        | SYN_RECV 60",
        "< S. 0 80001        | SYN_RECV keep ?TcpInvalidState",
        "> . 80001 1         | ESTABLISHED 432000 assured",
    ]);
}

#[test]
fn simultaneous_open() {
    for end in [
        // Both answer with SYN ACK, or one with an ACK only.
        &[
            "< S. 0 1 ws 3         | SYN_RECV 60",
            "> S. 0 1 ws 4         | SYN_RECV 60",
            "< . 1 1               | ESTABLISHED 432000 assured",
        ][..],
        &[
            "> S. 0 1 ws 4         | SYN_RECV 60",
            "< . 1 1               | ESTABLISHED 432000 assured",
        ][..],
        &[
            "> S. 0 1 ws 4         | SYN_RECV 60",
            "> . 1 1               | ESTABLISHED 432000 assured",
        ][..],
    ] {
        let mut player = Player::new();
        player.script(&[
            "> S 0 ws 4            | SYN_SENT 120",
            "< S 0 ws 3            | SYN_SENT2 keep",
            "< S 0 ws 3            | SYN_SENT2 120",
            "> S 0 ws 4            | SYN_SENT2 120",
            "> F. 1 1              | SYN_SENT2 !TcpInvalidState",
        ]);
        player.script(end);
        let [original, reply] = player.state().seen;
        assert_eq!((original.td_scale, reply.td_scale), (4, 3));
    }
}

/// Both must offer scaling.
#[test]
fn scaling() {
    for (syn, syn_ack, scales) in [
        ("> S 0 ws 7", "< S. 0 1 ws 14", (7, 14)),
        ("> S 0 ws 7", "< S. 0 1", (0, 0)),
        ("> S 0", "< S. 0 1 ws 7", (0, 0)),
        ("> S 0 ws 0", "< S. 0 1 ws 2", (0, 2)),
    ] {
        let mut player = Player::new();
        player.line(syn);
        player.line(syn_ack);
        let [original, reply] = player.state().seen;
        assert_eq!((original.td_scale, reply.td_scale), scales);
    }
}

/// The peer holds an old connection: its challenge goes through, the RST that
/// answers it ends what we have, and the next SYN begins anew.
#[test]
fn challenge_to_the_first_syn() {
    let mut player = Player::new();
    player.script(&[
        "> S 0                     | SYN_SENT 120",
        "< . =145824453 =643160523 | SYN_SENT keep ?TcpInvalidState",
        "> R =643160523            | CLOSE 10",
        "> S 0                     | reopen SYN_SENT 120",
        "< S. 0 1                  | SYN_RECV 60",
        "> . 1 1                   | ESTABLISHED 432000 assured",
    ]);
}

/// A SYN ACK to an older SYN.
#[test]
fn old_syn_ack() {
    let mut player = Player::new();
    player.script(&[
        "> S 0                          | SYN_SENT 120",
        "< S. =145824453 =643160523     | SYN_SENT !TcpOutOfWindow",
        "> S 0                          | SYN_SENT keep",
        "< S. =145758918 1              | SYN_RECV 60",
        "> . 1 =145758919               | ESTABLISHED 432000 assured",
        "> P. 1+1 =145758919            | ESTABLISHED 300",
    ]);
}

/// We hold a connection that its client has forgotten.
#[test]
fn syn_in_a_connection() {
    // Its server too: they begin anew.
    let mut player = Player::established();
    player.script(&[
        "> S 900000 ws 3 sackok  | ESTABLISHED keep ?TcpChallengeAck",
        "< S. 700000 900001 ws 2 | SYN_RECV 60",
        "> . 900001 700001       | ESTABLISHED 432000",
    ]);
    let [original, reply] = player.state().seen;
    assert_eq!((original.td_scale, reply.td_scale), (3, 2));
    assert!(original.has(flag::SACK_PERM) && !reply.has(flag::SACK_PERM));

    // Its server has not: challenge and RST.
    let mut player = Player::established();
    player.script(&[
        "> P. 1+100 1            | ESTABLISHED 300",
        "< . 1 101               | ESTABLISHED 432000",
        "> S 2000                | ESTABLISHED keep ?TcpChallengeAck",
        "< . 1 101               | ESTABLISHED 432000",
        "> R. 101 1              | CLOSE 10",
        "> S 2000                | reopen SYN_SENT 120",
    ]);

    // A SYN ACK of another SYN, and a SYN of the server.
    let mut player = Player::established();
    player.script(&[
        "> S 900000              | ESTABLISHED keep ?TcpChallengeAck",
        "< S. 700000 900002      | ESTABLISHED keep ?TcpInvalidState",
        "< S. 700000 900001      | ESTABLISHED keep ?TcpInvalidState",
        "< S 5                   | ESTABLISHED !TcpInvalidState",
        "> S. 5 1                | ESTABLISHED !TcpInvalidState",
        "> . 1 1                 | ESTABLISHED 432000",
    ]);
}

/// The client's keep-alive while SYNPROXY waits for the server.
#[test]
fn synproxy_keep_alive() {
    let mut player = Player::new();
    player.script(&[
        "> S 0               | SYN_SENT 120",
        "> . 0 1             | SYN_SENT !TcpInvalidState",
    ]);
    player.synproxy = true;
    player.script(&[
        "> . 1 1             | SYN_SENT !TcpInvalidState",
        "> . 0 1             | SYN_SENT keep",
    ]);
}
