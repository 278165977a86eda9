// SPDX-License-Identifier: GPL-2.0

//! Which RST ends what.

use super::*;

#[test]
fn refused() {
    for rst in ["< R. =0 1", "< R. 77 1", "> R 1", "> R 0"] {
        let mut player = Player::new();
        player.line("> S 0");
        assert_eq!(player.line(rst), "CLOSE 10 kill", "{rst}");
    }
}

/// Who has sent a SYN does not believe a RST that does not acknowledge it.
#[test]
fn not_refused() {
    for rst in [
        "< R 1",
        "< R =0",
        "< R. 0 2",
        "< R. 0 =0",
        "< R. 0 -70000",
        "> R 2",
        "> R -70000",
        "> R 2000000000",
    ] {
        let mut player = Player::new();
        player.line("> S 0");
        let got = player.line(rst);
        assert!(got.starts_with("SYN_SENT !"), "{rst}: {got}");
        player.script(&["< S. 0 1 | SYN_RECV 60"]);
    }
}

#[test]
fn in_the_handshake() {
    for (rst, becomes) in [
        ("< R 1", "CLOSE 10"),
        ("< R. 1 1", "CLOSE 10"),
        ("> R 1", "CLOSE 10"),
        ("> R. 1 1", "CLOSE 10"),
        ("> R 0", "SYN_RECV !TcpInvalidRst"),
        ("< R 5000", "SYN_RECV !TcpOutOfWindow"),
    ] {
        let mut player = Player::new();
        player.line("> S 0");
        player.line("< S. 0 1");
        assert_eq!(player.line(rst), becomes, "{rst}");
    }
}

/// As in the kernel's own packetdrill test: RFC 5961 section 3.2.
#[test]
fn in_a_connection() {
    let mut player = Player::new();
    player.script(&[
        "> S 0 win 65535 ws 8 sackok | SYN_SENT 120",
        "< S. 0 1 win 65535          | SYN_RECV 60",
        "> . 1 1 win 65535           | ESTABLISHED 432000 assured",
        "< . 1+1000 1 win 65535      | ESTABLISHED 300",
        "> . 1 1001 win 65535        | ESTABLISHED 432000",
        "> P. 1+1000 1001 win 65535  | ESTABLISHED 300",
        "< R -1                      | ESTABLISHED !TcpInvalidRst",
        "< R 1000000                 | ESTABLISHED !TcpOutOfWindow",
        "< R 42                      | ESTABLISHED !TcpInvalidRst",
        "< . 1001 1001 win 65535     | ESTABLISHED 432000",
        "< R. 1000 1001 win 0        | ESTABLISHED !TcpInvalidRst",
        // In window: may be challenged.
        "< R 1500                    | ESTABLISHED 10",
        "> . 1001 1001 win 65535     | ESTABLISHED 432000",
        "< R. 1001 1001 win 0        | CLOSE 10",
        "< R 9                       | CLOSE 10",
    ]);
}

/// Its receiver does not look at what a RST acknowledges selectively.
#[test]
fn sack_says_nothing() {
    let mut player = Player::new();
    player.script(&[
        "> S 0 sackok                | SYN_SENT 120",
        "< R. 1 1 sack 70101         | CLOSE 10 kill",
    ]);
    for (rst, becomes) in [
        ("< R. 1 1 sack 70101", "CLOSE 10"),
        ("< R. 1 1 sack -70101", "CLOSE 10"),
        ("< R. 1 70101 sack 70101", "ESTABLISHED !TcpOutOfWindow"),
        ("< R. 0 1 sack 1", "ESTABLISHED !TcpInvalidRst"),
    ] {
        let mut player = Player::new();
        player.script(&[
            "> S 0 sackok            | SYN_SENT 120",
            "< S. 0 1 sackok         | SYN_RECV 60",
            "> . 1 1                 | ESTABLISHED 432000 assured",
        ]);
        assert_eq!(player.line(rst), becomes, "{rst}");
    }
}

/// A RST right behind data that is not acknowledged yet.
#[test]
fn train() {
    let mut player = Player::established();
    player.script(&[
        "< P. 1+19 1         | ESTABLISHED 300",
        "< R. 20 1           | CLOSE 10",
    ]);
}

/// While closing, any will do; a RST that comes after it too.
#[test]
fn while_closing() {
    for rst in ["> R 1001", "< R 999999", "< R =0"] {
        let mut player = Player::established();
        player.script(&[
            "< F. 1 1            | FIN_WAIT 120",
            "> . 1 2             | CLOSE_WAIT 60",
        ]);
        assert_eq!(player.line(rst), "CLOSE 10", "{rst}");
        assert_eq!(player.line("< R 2001"), "CLOSE 10", "{rst}");
    }
}

/// A SYN, then a RST that its receiver does not believe, from either side: the
/// connection stays.
#[test]
fn syn_then_bad_rst() {
    for syn in ["> S 500", "> S 700000"] {
        for rst in [
            "> R -5",
            "> R -500000",
            "> R 2000000",
            "> R =0",
            "> R. -5 1",
            "> R. =0 101",
            "< R -5",
            "< R =0",
            "< R. =0 1",
            "< R. =0 101",
            "< R 1234567",
        ] {
            let mut player = Player::established();
            player.script(&[
                "> . 1+100 1    | ESTABLISHED 300",
                "< . 1+100 101  | ESTABLISHED 300",
                "> . 101 101    | ESTABLISHED 432000",
            ]);
            let got = player.line(syn);
            assert_eq!(got, "ESTABLISHED keep ?TcpChallengeAck");
            let got = player.line(rst);
            assert!(got.starts_with("ESTABLISHED !"), "{syn} {rst}: {got}");
            player.script(&["> . 101+9 101 | ESTABLISHED 300"]);
        }
    }
    // A RST that acknowledges the SYN, with a number that it cannot have.
    let mut player = Player::established();
    player.script(&[
        "> S 700000          | ESTABLISHED keep ?TcpChallengeAck",
        "< R. -5 700001      | ESTABLISHED keep ?TcpInvalidRst",
        "> S 700000          | ESTABLISHED keep ?TcpChallengeAck",
        "> R 700001          | ESTABLISHED keep ?TcpInvalidRst",
        "< S. 5 700001       | SYN_RECV 60",
    ]);
}

/// The server does not know the connection that we do.
#[test]
fn answers_a_syn_let_through() {
    let mut player = Player::established();
    player.script(&[
        "> S 700000          | ESTABLISHED keep ?TcpChallengeAck",
        "< R. =0 700001      | CLOSE 10",
    ]);
    // Not in the direction of the SYN.
    let mut player = Player::established();
    player.script(&["> S 700000     | ESTABLISHED keep ?TcpChallengeAck"]);
    let got = player.line("> R. =0 700001");
    assert!(got.starts_with("ESTABLISHED"), "{got}");
}

/// Nobody knows what was picked up.
#[test]
fn answers_a_pickup() {
    let mut player = Player::new();
    player.script(&[
        "> . 5000+100 7000   | ESTABLISHED 300",
        "< R 7000            | CLOSE 10 kill",
    ]);
}

#[test]
fn numbers_not_checked() {
    let mut player = Player::established();
    player.policy.ignore_invalid_rst = true;
    player.script(&[
        "> . 1+100 1         | ESTABLISHED 300",
        "< . 1 101           | ESTABLISHED 432000",
        // Acknowledged already, and in window.
        "> R 50              | ESTABLISHED 10",
        "> R 101             | CLOSE 10",
    ]);
}
