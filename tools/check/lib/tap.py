# SPDX-License-Identifier: GPL-2.0
"""How a check speaks: a TAP line a fact, and the reasons below a red one."""

import sys


class Report:
    """Counts and prints results; `done` gives the exit status."""

    def __init__(self):
        self.number = 0
        self.failed = 0

    def _line(self, word, name):
        self.number += 1
        print(f"{word} {self.number} - {name}", flush=True)

    def test(self, name, reasons):
        """Passes if there are no reasons not to."""
        reasons = list(reasons)
        if not reasons:
            self._line("ok", name)
            return
        self.failed += 1
        self._line("not ok", name)
        for reason in reasons:
            for line in str(reason).splitlines():
                print(f"#   {line}")
        sys.stdout.flush()

    def skip(self, name, why):
        """Could not be judged, which is neither good nor bad."""
        self._line("ok", f"{name} # SKIP {why}")

    def done(self):
        """Prints the plan and ends the program."""
        print(f"1..{self.number}", flush=True)
        sys.exit(1 if self.failed else 0)
