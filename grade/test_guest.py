"""The guest tests, each a pytest test: in their own stage's kernel first."""

from __future__ import annotations

from typing import Callable

import pytest

from grade.harness import Variant
from grade.harness.guest import Batch, GuestTest, build_batches, home_tests


def _params(tests: list[GuestTest] | list[Batch]) -> list[object]:
    return [pytest.param(test, id=test.id) for test in tests]


def _home() -> list[object]:
    """Those of the stages; what a challenge asks for may not be there."""
    absent = pytest.mark.xfail(reason="a challenge: nobody has written it")
    return [
        pytest.param(test, id=test.id, marks=[absent] if test.challenge else [])
        for test in home_tests()
    ]


@pytest.mark.parametrize("guest_test", _home())
def test_guest(guest_test: GuestTest, build: Callable[..., Variant]) -> None:
    """A guest test passes on its machine, in the kernel of its own stage."""
    build(guest_test.variant)
    guest_test.run()


@pytest.mark.parametrize("batch", _params(build_batches()))
def test_build(batch: Batch, build: Callable[..., Variant]) -> None:
    """The guest tests pass in the other builds of the whole kernel too."""
    build(batch.tests[0].variant)
    batch.run()
