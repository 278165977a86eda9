// SPDX-License-Identifier: GPL-2.0

//! Numbers in and out of window.

use super::*;

#[test]
fn data() {
    Player::established().script(&[
        "> . 1+1000 1        | ESTABLISHED 300",
        "< . 1 1001          | ESTABLISHED 432000",
        "< . 1+500 1001      | ESTABLISHED 300",
        "< . 501+500 1001    | ESTABLISHED 300",
        "> . 1001 501        | ESTABLISHED 300",
        "> . 1001+10 1001    | ESTABLISHED 300",
        "< . 1001 1011       | ESTABLISHED 432000",
    ]);
}

/// The four bounds: in, and out by one.
#[test]
fn bounds() {
    for (line, becomes) in [
        // I: the peer's ack + window is 1001.
        ("> . 1001+5 1", "ESTABLISHED 300"),
        ("> . 1002+5 1", "ESTABLISHED keep ?TcpOutOfWindow"),
        ("> . 1002+1500 1", "ESTABLISHED !TcpOutOfWindow"),
        ("> . 2002+5 1", "ESTABLISHED !TcpOutOfWindow"),
        // II: what was sent ends at 1, the peer's window is 1000.
        ("> . -1009+10 1", "ESTABLISHED 432000"),
        ("> . -1010+10 1", "ESTABLISHED keep ?TcpOutOfWindow"),
        // III: the peer has sent up to 1.
        ("> . 1 1", "ESTABLISHED 432000"),
        ("> . 1 2", "ESTABLISHED !TcpOutOfWindow"),
        // IV.
        ("> . 1 -65999", "ESTABLISHED 432000"),
        ("> . 1 -66000", "ESTABLISHED keep ?TcpOutOfWindow"),
    ] {
        let mut player = Player::established();
        assert_eq!(player.line(line), becomes, "{line}");

        // Any of it is let through if one is liberal.
        let mut player = Player::established();
        player.policy.be_liberal = true;
        let got = player.line(line);
        assert!(!got.contains(['!', '?']), "{line}: {got}");
    }
}

/// A little more than the window, which the receiver takes.
#[test]
fn overshot() {
    Player::established().script(&[
        "> . 1+1000 1        | ESTABLISHED 300",
        "> . 1002+100 1      | ESTABLISHED keep ?TcpOutOfWindow",
        "< . 1 1102          | ESTABLISHED 432000",
    ]);
}

/// ACKs were lost behind us: the sender repeats what is acknowledged long ago.
#[test]
fn acknowledged_data_again() {
    let mut player = Player::established();
    for i in 0..46 {
        let at = 1 + i * 1460;
        player.line(&format!("> . {at}+1460 1 win 257"));
        player.line(&format!("< . 1 {} win 65535", at + 1460));
    }
    player.script(&[
        "> P. 1+1460 1 win 257        | ESTABLISHED keep ?TcpOutOfWindow",
        "< . 1 67161 win 65535        | ESTABLISHED 432000",
    ]);
}

#[test]
fn scaled() {
    let mut player = Player::new();
    player.script(&[
        "> S 0 ws 2                  | SYN_SENT 120",
        "< S. 0 1 ws 14              | SYN_RECV 60",
        // The window of the SYN ACK was not scaled.
        "> . 1002+3000 1             | SYN_RECV !TcpOutOfWindow",
        "> . 1 1                     | ESTABLISHED 432000 assured",
        "< . 1+1 1                   | ESTABLISHED 300",
        "> . 16000000+1 2            | ESTABLISHED 300",
        "< . 2+1 16000001            | ESTABLISHED 300",
        // 1000 << 2.
        "< . 4003+1 16000001         | ESTABLISHED keep ?TcpOutOfWindow",
    ]);
    // A scale that cannot be, as from ctnetlink.
    player.state_mut().seen[0].td_scale = 255;
    player.line("> . 16000001 3");
    assert_eq!(player.state().seen[0].td_maxwin, 1000 << 14);
}

#[test]
fn selective_acknowledgment() {
    let script = [
        "< . 1+100 1                 | ESTABLISHED 300",
        "< . 201+100 1               | ESTABLISHED 300",
        "> . 1 101 sack 301          | ESTABLISHED 300",
    ];
    let mut player = Player::new();
    player.script(&[
        "> S 0 sackok                | SYN_SENT 120",
        "< S. 0 1 sackok             | SYN_RECV 60",
        "> . 1 1                     | ESTABLISHED 432000 assured",
    ]);
    player.script(&script);
    let [original, reply] = player.state().seen;
    assert_eq!(original.td_maxwin, 1200);
    assert_eq!(reply.td_maxend, ISN[1].wrapping_add(1301));
    player.script(&["> . 1 101 sack 302 | ESTABLISHED !TcpOutOfWindow"]);

    // Not agreed upon: not looked at.
    let mut player = Player::established();
    player.script(&script);
    player.script(&["> . 1 101 sack 302 | ESTABLISHED 300"]);
    assert_eq!(player.state().seen[0].td_maxwin, 1000);
}

/// RFC 9293 section 3.8.4: one byte that was sent already, or none, and its
/// answer; also where only half of it was seen.
#[test]
fn keep_alive() {
    Player::established().script(&[
        "> . 0+1 1           | ESTABLISHED 432000",
        "< . 1 1             | ESTABLISHED 432000",
        "> . 0 1             | ESTABLISHED 432000",
        "< . 1 1             | ESTABLISHED 432000",
    ]);

    let mut player = Player::new();
    player.script(&[
        "> . 5000 7000       | ESTABLISHED 300",
        "< . 7000 5001       | ESTABLISHED 300",
    ]);
    assert_eq!(player.state().seen[0].td_end, ISN[0].wrapping_add(5001));
}

#[test]
fn zero_window() {
    Player::established().script(&[
        "> . 1+1000 1        | ESTABLISHED 300",
        "< . 1 1001 win 0    | ESTABLISHED 300",
        // The probe is one byte more.
        "> . 1001+1 1        | ESTABLISHED 300",
        "< . 1 1001 win 0    | ESTABLISHED 300",
        "> . 1003+1 1        | ESTABLISHED keep ?TcpOutOfWindow",
        "< . 1 1002 win 1000 | ESTABLISHED 300",
    ]);
}

/// What says the same again: three times, and the timeout is shorter.
#[test]
fn retransmissions() {
    Player::established().script(&[
        "> . 1+10 1          | ESTABLISHED 300",
        "> . 1+10 1          | ESTABLISHED 300",
        "> . 1+10 1          | ESTABLISHED 300",
        "> . 1+10 1          | ESTABLISHED 300",
        "< . 1 11            | ESTABLISHED 432000",
    ]);

    let mut player = Player::established();
    player.policy.timeouts[RETRANS] = 7;
    player.script(&[
        "> . 1+10 1          | ESTABLISHED 300",
        "> . 1+10 1          | ESTABLISHED 300",
        "> . 1+10 1          | ESTABLISHED 300",
        "> . 1+10 1          | ESTABLISHED 7",
        "> . 1+10 1          | ESTABLISHED 7",
        "> . 11+10 1         | ESTABLISHED 300",
        "< . 1 21 win 0      | ESTABLISHED 7",
        "< . 1 21            | ESTABLISHED 432000",
    ]);

    let mut player = Player::established();
    player.policy.timeouts[RETRANS] = 7;
    for _ in 0..1000 {
        player.line("> . 1 1");
    }
    player.script(&["> . 1 1 | ESTABLISHED 7"]);
}

/// A helper has made what the server sent 100 bytes longer: what the client
/// acknowledges is that much higher.
#[test]
fn shifted_acks() {
    let mut player = Player::established();
    player.script(&["< . 1+50 1      | ESTABLISHED 300"]);
    player.ack_offset = 100;
    player.script(&[
        "> . 1 151           | ESTABLISHED 432000",
        "> . 1 152           | ESTABLISHED !TcpOutOfWindow",
    ]);
}
