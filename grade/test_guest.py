"""The guest tests, each a pytest test: in their own stage's kernel first."""

from __future__ import annotations

from typing import Callable

import pytest

from grade.harness import Variant
from grade.harness.guest import GuestTest, build_tests, home_tests


def _params(tests: list[GuestTest]) -> list[object]:
    return [pytest.param(test, id=test.id) for test in tests]


def _run(guest_test: GuestTest, build: Callable[..., Variant]) -> None:
    targets = ["all"]
    build(guest_test.variant, *targets)
    guest_test.run()


@pytest.mark.parametrize("guest_test", _params(home_tests()))
def test_guest(guest_test: GuestTest, build: Callable[..., Variant]) -> None:
    """A guest test passes on its machine."""
    _run(guest_test, build)


@pytest.mark.parametrize("guest_test", _params(build_tests()))
def test_build(guest_test: GuestTest, build: Callable[..., Variant]) -> None:
    """A guest test passes in another build of the whole kernel too."""
    _run(guest_test, build)
