"""Prints one table of all that differs from the golden set."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the differences of every failed option set, one a line."""
    rows = [
        row
        for report in terminalreporter.stats.get("failed", [])
        for key, rows in report.user_properties
        if key == "golden"
        for row in rows
    ]
    if rows:
        terminalreporter.section("what differs from the golden set")
        for row in rows:
            terminalreporter.line(row)
