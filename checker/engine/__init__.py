"""Visits in one event loop: one visit is one device, serial; thousands of visits at once.

The engine reads the clocks, carries out the plan of each visit and hands every observation on at once. It judges
nothing.
"""

from __future__ import annotations

from checker.engine.contract import EngineEnd, EngineOptions, Recorder
from checker.engine.loop import check_own_certificate, run_visits

__all__ = ["EngineEnd", "EngineOptions", "Recorder", "check_own_certificate", "run_visits"]
