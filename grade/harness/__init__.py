"""What tests use: machines that run Lux9, their results, and the builds."""

from grade.harness.build import ROOT, Variant
from grade.harness.machine import GuestFailure, HostFailure, Machine, Result, Setup, run
from grade.harness.records import Record, parse_records

__all__ = [
    "ROOT",
    "GuestFailure",
    "HostFailure",
    "Machine",
    "Record",
    "Result",
    "Setup",
    "Variant",
    "parse_records",
    "run",
]
